"""The default path of the log: one file per process, even if its working directory changes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

DEFAULT_PATH = "astria_log.sqlite"

_fixed: dict[str, Path] = {}  # the folder, fixed at its first use


def default_path() -> str:
    """Return the log's default file.

    The environment variable ``ASTRIA_NB_LOG``, else ``astria_log.sqlite``. A relative path refers to the
    folder of the notebook, if the frontend provides it, else to the working directory at the first call in
    this process.

    Raises
    ------
    OSError
        The working directory is needed and does not exist.
    """
    path = os.path.expanduser(os.environ.get("ASTRIA_NB_LOG") or DEFAULT_PATH)  # noqa: PTH111  takes any text
    is_relative = not (Path(path).is_absolute() or "://" in path or path.startswith("~"))
    return str(default_folder() / path) if is_relative else path


def default_folder() -> Path:
    """Return the folder of the notebook, else the working directory at the first call in this process."""
    if (folder := _fixed.get("folder")) is None:
        folder = _fixed.setdefault("folder", _notebook_folder() or Path.cwd())
    return folder


def notebook_path() -> str | None:
    """Return the notebook's path or name, as the frontend passes it to the kernel, or None."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    # VS Code's variable belongs to this kernel; a kernel that was started by a notebook inherits it.
    path = None if shell is None else shell.user_ns.get("__vsc_ipynb_file__")
    path = path if isinstance(path, str) and path else os.environ.get("JPY_SESSION_NAME")
    return path or None


def _notebook_folder() -> Path | None:
    """Return the folder of the notebook, or None if it is unknown or on another machine."""
    if (path := notebook_path()) is None:
        return None
    # A notebook without a name is its folder with a slash, so this is not a Path, which would drop the slash.
    folder, name = os.path.split(path)
    for base in [""] if Path(path).is_absolute() else _bases():
        candidate = Path(base, folder)
        if candidate.is_dir() and (not base or (candidate / name).exists()):
            return candidate
    return None


def _bases() -> list[str]:
    """Return where a relative path of a notebook may begin: at Jupyter's root, whose path is unknown here."""
    here = Path.cwd()
    return [str(base) for base in (here, *here.parents, os.environ.get("PWD") or here)]
