"""Train Astria tunes from a Jupyter notebook.

The public names, each imported at its first use.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # understood by type checkers: a bare interpreter has not loaded `typing`
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from astria_nb.client import Client as Client
    from astria_nb.client import login as login
    from astria_nb.client.snippets import as_curl as as_curl
    from astria_nb.client.snippets import as_javascript as as_javascript
    from astria_nb.client.snippets import as_python as as_python
    from astria_nb.defaults.sandbox import Sandbox as Sandbox
    from astria_nb.form import TuneForm as TuneForm
    from astria_nb.results.callbacks import Callbacks as Callbacks
    from astria_nb.results.downloads import download as download
    from astria_nb.results.downloads import expiring as expiring
    from astria_nb.results.downloads import keep_longer as keep_longer
    from astria_nb.results.gallery import gallery as gallery
    from astria_nb.results.plots import costs as costs
    from astria_nb.results.plots import image_counts as image_counts
    from astria_nb.results.plots import timeline as timeline
    from astria_nb.results.tracking import to_mlflow as to_mlflow
    from astria_nb.results.watch import prompts as prompts
    from astria_nb.results.watch import wait as wait
    from astria_nb.submission import submit as submit
    from astria_nb.submission.batch import submit_many as submit_many
    from astria_nb.submission.experiment_log import ExperimentLog as ExperimentLog
    from astria_nb.tune import Tune as Tune

__version__ = "0.1.0"

_HOMES = {
    "Callbacks": "results.callbacks",
    "Client": "defaults",  # the module that knows the log for deletions
    "ExperimentLog": "submission.experiment_log",
    "Sandbox": "defaults.sandbox",
    "Tune": "tune",
    "TuneForm": "form",
    "as_curl": "client.snippets",
    "as_javascript": "client.snippets",
    "as_python": "client.snippets",
    "costs": "results.plots",
    "download": "results.downloads",
    "expiring": "results.downloads",
    "gallery": "results.gallery",
    "image_counts": "results.plots",
    "keep_longer": "results.downloads",
    "login": "client",
    "prompts": "results.watch",
    "submit": "submission",
    "submit_many": "submission.batch",
    "timeline": "results.plots",
    "to_mlflow": "results.tracking",
    "wait": "results.watch",
}
_MODULES = ("errors", "rows")
__all__ = [
    "Callbacks",
    "Client",
    "ExperimentLog",
    "Sandbox",
    "Tune",
    "TuneForm",
    "as_curl",
    "as_javascript",
    "as_python",
    "costs",
    "download",
    "expiring",
    "gallery",
    "image_counts",
    "keep_longer",
    "login",
    "prompts",
    "submit",
    "submit_many",
    "timeline",
    "to_mlflow",
    "wait",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        # Stored here: Python calls this function only until the module has the name.
        return globals().setdefault(name, getattr(_imported(f"astria_nb.{_HOMES[name]}"), name))
    # Python finds a submodule only after it was imported.
    if name in _MODULES:
        return _imported(f"astria_nb.{name}")
    raise AttributeError(f"module 'astria_nb' has no attribute {name!r}")


def _imported(name: str) -> ModuleType:
    from astria_nb.utils.imports import import_whole  # slower than everything else here

    try:
        return import_whole(name)
    except OSError as error:
        failure = error
    except Exception:
        # If a library is loaded in a version that does not work, this raises a clearer error.
        import_module("astria_nb.utils.versions").check_versions()
        raise
    raise _not_loaded(failure)


def _not_loaded(error: OSError) -> Exception:
    from pathlib import Path

    from astria_nb.errors import AstriaError, Problem

    try:
        Path.cwd()
    except OSError:  # a notebook's kernel looks for modules in the working directory first
        what = f"the working directory does not exist ({error.strerror or error})"
        return AstriaError(Problem("cwd", what, "change to another one with os.chdir"))
    what = f"a file of this package or of a dependency cannot be read ({error})"
    hint = "check the disk of the Python installation, and restart the kernel"
    return AstriaError(Problem("import", what, hint))


def __dir__() -> list[str]:
    return sorted({*__all__, *_MODULES, *(name for name in globals() if name.startswith("__"))})
