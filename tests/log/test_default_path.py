"""Where the default log is: one for a process, beside the notebook if the frontend says which it is."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import astria_nb as anb
from astria_nb.errors import LogError
from astria_nb.log import Log, _default_path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working directory of a process that has not used its log yet."""
    monkeypatch.setattr(_default_path, "_fixed", {})
    for variable in ("ASTRIA_NB_LOG", "JPY_SESSION_NAME"):
        monkeypatch.delenv(variable, raising=False)
    folder = tmp_path / "work"
    (folder / "notebooks").mkdir(parents=True)
    (folder / "notebooks" / "cats.ipynb").touch()
    monkeypatch.chdir(folder)
    return folder


def test_a_log_is_found_by_argument_then_environment_then_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Log().path == folder / "astria_log.sqlite"
    monkeypatch.setenv("ASTRIA_NB_LOG", "elsewhere.sqlite")
    assert Log().path == folder / "elsewhere.sqlite"
    assert Log("mine.sqlite").path == folder / "mine.sqlite"


@pytest.mark.parametrize("variable", [None, "runs/log.sqlite"])
def test_the_default_stays_when_the_working_directory_changes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str | None
) -> None:
    if variable is not None:
        monkeypatch.setenv("ASTRIA_NB_LOG", variable)
    before = Log().path
    monkeypatch.chdir(folder / "notebooks")
    assert Log().path == anb.ExperimentLog().path == before == folder / (variable or "astria_log.sqlite")


def test_a_changed_variable_counts_at_once(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Log().path.parent == folder
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASTRIA_NB_LOG", str(tmp_path / "log.sqlite"))
    assert Log().path == tmp_path / "log.sqlite"
    monkeypatch.setenv("ASTRIA_NB_LOG", "~/log.sqlite")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Log().path == tmp_path / "log.sqlite"
    monkeypatch.delenv("ASTRIA_NB_LOG")
    assert Log().path == folder / "astria_log.sqlite"


@pytest.mark.parametrize(
    "told",
    [
        "{folder}/notebooks/cats.ipynb",
        "{folder}/notebooks/",  # a session without a name
        "{folder}/notebooks/Console 1",
        "notebooks/cats.ipynb",  # relative to Jupyter's root
    ],
)
@pytest.mark.parametrize("start", [".", "notebooks"])
def test_the_log_is_beside_the_notebook(
    folder: Path, monkeypatch: pytest.MonkeyPatch, told: str, start: str
) -> None:
    monkeypatch.chdir(folder / start)
    monkeypatch.setenv("JPY_SESSION_NAME", told.format(folder=folder))
    assert Log().path == folder / "notebooks" / "astria_log.sqlite"


def test_a_relative_name_is_found_from_the_root_when_the_directory_has_moved(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "notebooks/cats.ipynb")
    monkeypatch.setenv("PWD", str(folder))
    monkeypatch.chdir("/")
    assert Log().path == folder / "notebooks" / "astria_log.sqlite"


@pytest.mark.parametrize(
    "told", ["/of/another/machine/cats.ipynb", "c:\\of\\another\\cats.ipynb", "no/cats.ipynb"]
)
def test_a_notebook_that_is_not_here_does_not_count(
    folder: Path, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", told)
    assert Log().path == folder / "astria_log.sqlite"


def test_the_notebook_of_visual_studio_code(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"__vsc_ipynb_file__": str(folder / "notebooks" / "cats.ipynb")}
    shell = SimpleNamespace(user_ns=names, kernel=None)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "of the kernel that started this one.ipynb"))
    assert Log().path == folder / "notebooks" / "astria_log.sqlite"


def test_a_working_directory_that_is_gone_is_an_error_in_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "gone").mkdir()
    monkeypatch.chdir(folder / "gone")
    (folder / "gone").rmdir()
    with pytest.raises(LogError, match=r"log: has no place: .*\(No such file .*set ASTRIA_NB_LOG"):
        Log()
    monkeypatch.chdir(folder)
    assert Log().path == folder / "astria_log.sqlite"


@pytest.mark.parametrize("value", ["sqlite://log", "~nobody-of-this-name/log.sqlite"])
def test_a_variable_that_names_no_file_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("ASTRIA_NB_LOG", value)
    with pytest.raises(LogError, match="give the path of a file"):
        Log()
