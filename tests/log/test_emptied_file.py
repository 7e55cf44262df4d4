"""Another program empties the log's file while it is open: that is told once, and then the log goes on."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from astria_nb.errors import LogError
from astria_nb.log import Log
from helpers.submissions import REPLY, SERVICE, a_request
from helpers.waiting import until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows does not let go of files that are open")

USES: dict[str, Callable[[Log], Any]] = {
    "frame": lambda log: log.frame(),
    "find": lambda log: log.find(SERVICE, "paid"),
    "plan": lambda log: log.plan(a_request("next"), sending=True),
    "event": lambda log: log.record_event("replay"),
}


def in_write_ahead_log(log: Log) -> int:
    """Return how many bytes are not in the main file yet."""
    companion = Path(f"{log.path}-wal")
    return companion.stat().st_size if companion.exists() else 0


def filled(path: Path) -> Log:
    log = Log(path)
    log.change(log.plan(a_request("paid"), sending=True), "done", reply={**REPLY, "title": "paid"})
    until(lambda: not in_write_ahead_log(log))
    return log


@pytest.mark.parametrize("place", ["local disk", "network disk"])
@pytest.mark.parametrize("use", USES)
def test_an_emptied_log_is_told_and_begun_anew(
    use: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("astria_nb.log._connections.on_network", lambda _: place == "network disk")
    log = filled(tmp_path / "log.sqlite")
    os.truncate(log.path, 0)
    with pytest.raises(LogError, match=r"was emptied by another program .*or try again to begin a new log"):
        USES[use](log)
    USES[use](log)
    assert log.find(SERVICE, "paid") is None
    log.plan(a_request("paid"))
    log.close()
    assert Log(log.path).frame()["title"].isin(["paid", "next"]).all()


def test_a_copy_that_is_put_in_the_place_of_an_emptied_log_is_used(tmp_path: Path) -> None:
    log = filled(tmp_path / "log.sqlite")
    content = log.path.read_bytes()
    os.truncate(log.path, 0)
    with pytest.raises(LogError, match="put a copy from before in its place"):
        log.plan(a_request("next"))
    log.path.write_bytes(content)
    log.plan(a_request("next"))
    assert log.frame()["title"].tolist() == ["paid", "next"]
