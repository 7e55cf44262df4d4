"""The default log: open for a moment after its last use, and then a file as any other."""

import os
import weakref
from pathlib import Path

import pytest

from astria_nb.log import Log, default_log
from helpers.submissions import a_request
from helpers.waiting import until


def path() -> Path:
    return Path(os.environ["ASTRIA_NB_LOG"])


def test_what_is_recorded_in_a_row_is_recorded_in_one_open_log() -> None:
    log = default_log()
    log.plan(a_request("a"))
    assert default_log() is log
    assert Log().frame()["title"].tolist() == ["a"]


def test_after_a_moment_its_file_is_closed_and_may_be_deleted() -> None:
    log = default_log()
    log.plan(a_request("a"))
    del log
    until(lambda: list(path().parent.iterdir()) == [path()])  # all of it is in this file
    path().unlink()
    default_log().plan(a_request("b"))
    assert default_log().frame()["title"].tolist() == ["b"]


def test_who_uses_it_keeps_it_open(tmp_path: Path) -> None:
    log = default_log()
    planned = log.plan(a_request("a"))
    is_open = weakref.ref(default_log())
    until(lambda: Path(f"{path()}-wal").stat().st_size == 0)  # idle
    path().unlink()
    log.change(planned, "sending")
    assert is_open() is log
    assert Log().frame()["state"].tolist() == ["sending"]


def test_another_place_is_another_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    default_log().plan(a_request("a"))
    monkeypatch.setenv("ASTRIA_NB_LOG", str(tmp_path / "other.sqlite"))
    default_log().plan(a_request("b"))
    assert default_log().frame()["title"].tolist() == ["b"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_has_one_of_its_own() -> None:
    log = default_log()
    log.plan(a_request("a"))
    child = os.fork()
    if child == 0:
        is_own = default_log() is not log
        default_log().plan(a_request("b"))
        os._exit(0 if is_own else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert default_log().frame()["title"].tolist() == ["a", "b"]
