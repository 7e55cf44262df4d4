"""Logs of formats 3 and 4, as earlier builds wrote them, and a log of a later format."""

import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from astria_nb.errors import LogError
from astria_nb.log import Log
from astria_nb.log._schema import VERSION
from astria_nb.log._selects import BLANKS
from astria_nb.log._states import RequestClaimed
from helpers.submissions import SERVICE, a_request, everything_on_disk

OLD = Path(__file__).parent / "format_3" / "log.sqlite"
ROWS = [
    [1, SERVICE, "done", "done", 7],
    [2, SERVICE, "unknown", "unknown", None],
    [4, SERVICE, "rejected", "needs_review", None],
    [5, SERVICE, "spelled", "done", 8],
    # Two spellings of one address had this title: the second keeps its own.
    [6, "https://api.astria.ai.", "done", "done", 9],
    [7, SERVICE, None, "unknown", None],
]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    shutil.copy(OLD, tmp_path / "log.sqlite")
    return Log(tmp_path / "log.sqlite")


def _rows(log: Log) -> list[list[object]]:
    frame = log.frame()[["submission", "service", "title", "state", "id"]].astype(object)
    return frame.where(frame.notna(), None).to_numpy().tolist()


def test_an_older_file_is_read_in_place(log: Log) -> None:
    assert _rows(log) == ROWS
    assert log.frame()["trained_at"].notna().tolist() == [True, *[False] * 5]
    assert len(log.events()) == 22
    assert [submission.id for submission in log.unsettled(SERVICE)] == [2, 7]


def test_titles_of_an_older_file_are_claimed_for_every_account(log: Log) -> None:
    for title in ("done", "unknown", "rejected", "spelled"):
        for account in (None, "1"):
            claimant = log.find(SERVICE, title, account)
            assert claimant is not None
            assert claimant.request.title == title
    run = log.claimant(a_request(None, prompt_ids=[3], image_urls=None))
    assert run is None or run.id == 7


def test_what_an_older_file_has_under_another_title_is_found(log: Log) -> None:
    for submission in (log.get(1), log.get(2)):
        request = submission.request
        again = replace(request, title="u", parameters={**request.parameters, "title": "u"})
        again = replace(again, recorded_fingerprint=None)
        assert submission.id in [found.id for found in log.with_content(again)]
    assert log.with_content(replace(log.get(1).request, pack=99)) == []


@pytest.mark.parametrize(
    "recorded", ["spelled ", "spelled\n", " spelled", "\u3000\tspelled \u2028", "\xa0spelled"]
)
def test_a_title_that_was_recorded_with_blanks_is_claimed(tmp_path: Path, recorded: str) -> None:
    path = tmp_path / "log.sqlite"
    shutil.copy(OLD, path)
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE submission SET title = ? WHERE id = 5", (recorded,))
        file.execute("UPDATE submission SET title = 'unknown 2 ' WHERE id = 2")
    file.close()
    log = Log(path)
    for account in (None, "1"):
        claimant = log.claimant(a_request("spelled", account=account))
        assert claimant is not None
        assert (claimant.id, claimant.tune_id) == (5, 8)
        with pytest.raises(RequestClaimed):
            log.plan(a_request("spelled", account=account), sending=True)
    assert log.claimant(a_request("unknown")) is None
    assert log.plan(a_request("spell"), sending=True).attempt == 1


def test_every_blank_around_a_title_is_looked_up() -> None:
    ranges = [range(ord(ends[0]), ord(ends[1]) + 1) for ends in BLANKS]
    assert "".join(chr(code) for each in ranges for code in each) == "".join(
        character for character in map(chr, range(sys.maxunicode + 1)) if character.isspace()
    )


def test_a_title_with_any_blank_around_it_is_claimed(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    shutil.copy(OLD, path)
    log = Log(path)
    log.plan(a_request("new"))  # brings the file to the present format
    blanks = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()]
    with closing(sqlite3.connect(path)) as file:
        for recorded in [text for blank in blanks for text in (f"{blank}spelled", f"spelled{blank}")]:
            with file:
                file.execute("UPDATE submission SET title = ?, checksum = NULL WHERE id = 5", (recorded,))
            claimant = log.claimant(a_request("spelled"))
            assert claimant is not None, ascii(recorded)
            assert claimant.tune_id == 8


def test_an_older_file_can_be_continued(log: Log) -> None:
    lost = log.find(SERVICE, "unknown")
    assert lost is not None
    assert log.change(lost, "adopted", tune_id=10, reply={"id": 10}).state == "adopted"
    log.record_event(
        "poll", service=SERVICE, tune_id=8, reply={"id": 8, "trained_at": "2026-01-02T00:00:00Z"}
    )
    log.plan(a_request("new"))
    assert log.frame()["state"].tolist()[1] == "adopted"


def test_an_older_file_that_cannot_be_written_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.sqlite"
    shutil.copy(OLD, path)
    before = everything_on_disk(path)
    monkeypatch.setattr("astria_nb.log._opening._create", lambda _: False)
    log = Log(path)
    assert _rows(log) == ROWS
    assert log.find("https://API.astria.ai", "spelled") is not None
    with pytest.raises(LogError, match="read-only"):
        log.plan(a_request("new"))
    log.close()
    assert everything_on_disk(path) == before


def test_a_later_format_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    log = Log(path)
    log.plan(a_request())
    log.close()
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(f"PRAGMA user_version = {VERSION + 1}")
    file.close()
    before = everything_on_disk(path)
    for work in (log.frame, lambda: log.plan(a_request("u"))):
        with pytest.raises(LogError, match=f"newer astria_nb .format {VERSION + 1}; .*upgrade astria_nb"):
            work()
    assert everything_on_disk(path) == before


@pytest.mark.parametrize("is_writable", [True, False])
def test_a_file_without_labels_is_read_and_gets_them(
    tmp_path: Path, is_writable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.sqlite"
    shutil.copy(OLD.parent.parent / "format_4" / "log.sqlite", path)
    if not is_writable:
        monkeypatch.setattr("astria_nb.log._opening._create", lambda _: False)
    log = Log(path)
    assert log.frame()["state"].tolist() == ["done", "unknown", "done"]
    assert [list(tags) for tags in log.frame()["tags"]] == [[], [], []]
    assert log.get(1).record is not None
    if is_writable:
        log.tag(1, "client A")
        log.plan(a_request("new"))
        assert [list(tags) for tags in log.frame()["tags"]] == [["client A"], [], [], []]
    else:
        with pytest.raises(LogError, match="read-only"):
            log.tag(1, "client A")
    log.close()
