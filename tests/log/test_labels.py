"""Tags, notes and hiding: what the owner of a log says about its submissions."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from astria_nb import rows
from astria_nb.cli import main
from astria_nb.errors import LogError, TuneError
from astria_nb.log import Log
from helpers.paths import ROOT
from helpers.processes import Other
from helpers.submissions import KEY, REPLY, SERVICE, a_request, tag

FAMILY = "\N{MAN}\u200d\N{GIRL}"  # one character to its reader
OTHER = "http://127.0.0.1:3000 ...abcd"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with two tunes of one service, one of another, and a run on existing tunes."""
    log = Log(tmp_path_factory.mktemp("original") / "log.sqlite")
    for tune_id, title, service in ((7, "a", SERVICE), (8, "b", SERVICE), (7, "a", OTHER)):
        sent = log.plan(a_request(title, service=service), sending=True)
        log.change(sent, "done", reply={**REPLY, "id": tune_id, "title": title})
    run = log.plan(a_request(None, prompt_ids=[3]), sending=True)
    log.change(run, "done", reply={"prompt_ids": [11, 12], "tune_ids": [7]})
    log.close()
    return log.path


@pytest.fixture
def log(original: Path, tmp_path: Path) -> Iterator[Log]:
    log = Log(shutil.copy(original, tmp_path / "log.sqlite"))
    yield log
    log.close()


def tags(log: Log, number: int) -> list[str]:
    frame = log.frame(hidden=True).set_index("submission")
    return list(frame.loc[number, "tags"])


def row(tune_id: int, service: str | None = SERVICE) -> pd.DataFrame:
    return rows.tune_frame([{**REPLY, "id": tune_id, "service": service}])


def test_tags_and_a_note_are_columns_of_the_frame(log: Log) -> None:
    log.tag(1, "good likeness", " client A ")
    log.tag(1, "client A", "e\u0301")
    log.tag(4, FAMILY)
    log.note(2, "the second photo\nis blurred")
    frame = log.frame()
    assert [list(each) for each in frame["tags"]] == [
        ["good likeness", "client A", "\xe9"],
        [],
        [],
        ["\N{MAN}\u200d\N{GIRL}"],
    ]
    assert frame["note"].dropna().to_dict() == {1: "the second photo\nis blurred"}
    assert not frame["hidden"].any()
    assert frame.dtypes["tags"].pyarrow_dtype == pa.list_(pa.string())
    log.untag(1, "good likeness", "never given")
    log.note(2, frame["note"].iloc[0])  # a missing value
    assert tags(log, 1) == ["client A", "\xe9"]
    assert log.frame()["note"].isna().all()


SPELLINGS: dict[str, Callable[[Log], Any]] = {
    "number": lambda log: 2,
    "numbers": lambda log: [2],
    "array": lambda log: np.array([2]),
    "column": lambda log: log.frame()["submission"].iloc[1:2],
    "submission": lambda log: log.get(2),
    "row of the log": lambda log: log.frame().iloc[1],
    "row of submit": lambda log: row(8),
    "row without a service": lambda log: row(8, None),
    "dictionary": lambda log: row(8).to_dict("records")[0],
    "the tune's id": lambda log: pd.Series([8], name="id"),
    # Its number is that of another submission here.
    "row of another log": lambda log: log.frame().iloc[[1]].assign(submission=1),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_submission_is_named_by_number_or_by_row(log: Log, spelling: str) -> None:
    named = SPELLINGS[spelling](log)
    log.tag(named, "this one")
    assert [list(each) for each in log.frame()["tags"]] == [[], ["this one"], [], []]
    assert log.get(named) == log.get(2)
    assert log.diff(1, named).equals(log.diff(1, 2))


@pytest.mark.parametrize(
    ("work", "kind", "message"),
    [
        (lambda log: log.get(log.frame()), TuneError, "submission: expected one submission, got 4; give its"),
        (lambda log: log.diff([], 1), TuneError, "submission: expected one submission, got 0; give its"),
        (lambda log: log.get("a"), TuneError, "frame: expected the DataFrame that submit or wait returned"),
        (lambda log: log.get(None), TuneError, "frame: expected the DataFrame that submit or wait returned"),
        (lambda log: log.get(row(9)), KeyError, "log: has no submission of tune 9; choose one of "),
        (lambda log: log.diff(row(8), 99), KeyError, "log: has no submission 99; choose one of "),
        (lambda log: log.get(8), KeyError, "log: has no submission 8; tune 8 is submission 2: pass that"),
    ],
)
def test_what_names_no_single_submission_is_told(
    log: Log, work: Callable[[Log], Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=f"^{message}"):
        work(log)


def test_a_tune_of_another_service_and_a_run_without_a_tune_are_distinguished(log: Log) -> None:
    log.tag(row(7, OTHER), "rehearsal")
    log.tag(log.frame().drop(columns="submission").iloc[[3]], "run")
    assert [list(each) for each in log.frame()["tags"]] == [[], [], ["rehearsal"], ["run"]]
    with pytest.raises(LogError, match="has tune 7 of several services: submissions 3, 1; give the number"):
        log.tag(row(7, None), "which?")


@pytest.mark.parametrize("title", ["a", None])
def test_a_row_of_another_log_names_nothing_here_though_its_number_does(
    log: Log, title: str | None, tmp_path: Path
) -> None:
    other = Log(tmp_path / "other.sqlite")
    for each in ("a", "x", "y", None):
        sent = other.plan(a_request(each, service="http://127.0.0.1:9", prompt_ids=[5]), sending=True)
        other.change(sent, "done", reply={"id": 7, "title": each} if each else {"prompt_ids": [99]})
    frame = other.frame()
    other.close()
    foreign = frame[frame["title"] == title] if title else frame[frame["title"].isna()]
    assert foreign["submission"].tolist() == [1 if title else 4]
    with pytest.raises(LogError, match="open the log that recorded it"):
        log.hide(foreign)
    assert not log.frame(hidden=True)["hidden"].any()


def test_a_row_that_is_older_than_the_tune_is_found_by_its_number(log: Log) -> None:
    sent = log.plan(a_request("late"), sending=True)
    before = log.frame().iloc[[-1]]
    read_back = pd.read_json(StringIO(before.to_json(orient="records", date_format="iso")))
    log.change(sent, "done", reply={**REPLY, "id": 9, "title": "late"})
    log.tag(before, "x")
    log.tag(read_back, "y")
    assert tags(log, sent.id) == ["x", "y"]


def test_many_are_labelled_or_none(log: Log) -> None:
    log.tag(log.frame(), "all")
    assert all(list(each) == ["all"] for each in log.frame()["tags"])
    with pytest.raises(LogError, match="has no submission 99"):
        log.tag([1, 99], "not all")
    assert tags(log, 1) == ["all"]


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (lambda log: log.tag(1), "tags: are missing; give them as text"),
        (lambda log: log.tag(1, ["a", "b"]), r"tags: \['a', 'b'\] is not a tag"),
        (lambda log: log.tag(1, " "), "tags: ' ' is not a tag"),
        (lambda log: log.tag(1, "a" * 101), "one line of at most 100 characters"),
        (lambda log: log.tag(1, "a\nb"), "one line of at most 100 characters"),
        (lambda log: log.tag(1, KEY), "holds what looks like a key"),
        (lambda log: log.note(1, f"at https://x.org/1.jpg?Signature={KEY}"), "holds what looks like a key"),
        (lambda log: log.note(1, 5), "note: 5 is not text"),
        (lambda log: log.note(1, f"sent with {KEY}"), "holds what looks like a key"),
        (lambda log: log.note(1, "x" * 10_001), "at most 10,000"),
        (lambda log: log.tag("good likeness", "client A"), "expected the DataFrame"),
        (lambda log: log.tag(None, "a"), "expected the DataFrame"),
        (
            lambda log: log.tag(rows.prompt_frame([{"id": 1, "text": ""}]), "a"),
            "these are prompts",
        ),
        (lambda log: log.frame(tag=5), "tag: 5 is not a tag"),
        (lambda log: log.frame(tag=" "), "tag: ' ' is not a tag; give text, or leave it out"),
        (lambda log: log.export("log.csv", service=""), "service: '' is not a service; give text"),
        (lambda log: log.frame(service=5), "service: 5 is not a service"),
        (lambda log: log.tag(7, "a"), "submissions 3, 1 are tunes 7 of several services: pass one"),
        (lambda log: log.tag(8, "a"), "has no submission 8; tune 8 is submission 2: pass that, or the row"),
        (lambda log: log.hide(row(9)), "log: has no submission of tune 9"),
    ],
)
def test_what_cannot_be_a_label_is_refused(log: Log, work: Callable[[Log], Any], message: str) -> None:
    with pytest.raises((TuneError, LogError), match=message):
        work(log)
    assert {*log.events()["kind"]} == {"planned", "sending", "done"}


@pytest.mark.parametrize("text", ["as on https://example.com/page?number=2#top", "of sd_portraits/1.jpg"])
def test_a_link_and_a_file_are_no_secrets(log: Log, text: str) -> None:
    log.note(1, text)
    log.tag(1, text)
    assert log.frame()["note"].iloc[0] == tags(log, 1)[0] == text


def test_hidden_submissions_are_left_out_and_come_back(log: Log) -> None:
    log.hide([1, 2])
    assert log.frame()["submission"].tolist() == [3, 4]
    assert log.frame(hidden=True)["hidden"].tolist() == [True, True, False, False]
    assert log.find(SERVICE, "a") is not None
    log.unhide(row(8))
    assert log.frame()["submission"].tolist() == [2, 3, 4]


@pytest.mark.parametrize(("state", "hint"), [("unknown", "recover"), ("needs_review", "resolve")])
def test_what_may_have_been_paid_for_cannot_be_hidden(log: Log, state: str, hint: str) -> None:
    lost = log.change(log.plan(a_request("lost"), sending=True), state)
    log.tag(lost, "look at this")
    with pytest.raises(LogError, match=f"submission 5 is {state}, and may have been paid for; call {hint}"):
        log.hide(lost)
    assert log.frame()["state"].tolist()[-1] == state


def test_rows_are_selected_by_tag_and_service(log: Log) -> None:
    log.tag([1, 3], "x")
    assert log.frame(tag="x")["submission"].tolist() == [1, 3]
    assert log.frame(tag="x", service="HTTPS://api.astria.ai/")["submission"].tolist() == [1]
    assert log.frame(service="http://localhost:3000")["submission"].tolist() == [3]
    assert log.frame(tag="y").empty


def test_labels_are_events_with_a_time(log: Log) -> None:
    log.tag(1, "x")
    log.tag(1, "x")  # changes nothing
    log.note(1, "y")
    log.hide(1)
    log.unhide(1)
    events = log.events().tail(4)
    assert events["kind"].tolist() == ["tag", "note", "hide", "unhide"]
    assert events["reply"].fillna("").tolist() == ['{"tags":["x"]}', '{"note":"y"}', "", ""]
    assert (events["submission"] == 1).all()
    assert events["at"].is_monotonic_increasing


def test_labels_outlive_a_change_of_the_submission_and_do_not_hinder_one(log: Log) -> None:
    sent = log.plan(a_request("late"), sending=True)
    log.tag(sent, "x")
    log.change(sent, "done", reply={**REPLY, "id": 9, "title": "late"})
    reply = {"id": 9, "trained_at": "2026-01-02T00:00:00Z"}
    log.record_event("poll", service=SERVICE, tune_id=9, reply=reply)
    assert tags(log, sent.id) == ["x"]
    log.close()
    assert tags(log, sent.id) == ["x"]


def test_labels_are_exported_and_printed(
    log: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log.tag(1, "good likeness", "=1+1")
    log.note(1, "for the cover")
    log.hide(2)
    frame = pd.read_parquet(log.export(tmp_path / "log.parquet"))
    assert list(frame["tags"].iloc[0]) == ["good likeness", "=1+1"]
    assert frame["note"].iloc[0] == "for the cover"
    assert len(frame) == 3
    csv = log.export(tmp_path / "log.csv", tag="good likeness").read_text()
    assert csv.splitlines()[1].endswith('"[""good likeness"", ""\'=1+1""]","for the cover",False')
    file = ["--log", str(log.path)]
    assert main(["log", *file]) == 0
    assert "#good likeness · #=1+1 · for the cover" in capsys.readouterr().out
    assert main(["log", "export", str(tmp_path / "all.csv"), "--hidden", *file]) == 0
    assert "exported 4 submissions" in capsys.readouterr().out
    assert main(["log", "frame", "--tag", "nobody's", "--service", SERVICE, *file]) == 0
    assert capsys.readouterr().out == "no submissions\n"


def test_two_processes_that_tag_at_once_lose_nothing(log: Log) -> None:
    with Other(tag, log.path, "first") as first, Other(tag, log.path, "second") as second:
        assert [first.pipe.recv(), second.pipe.recv()] == ["begins", "begins"]
        assert [first.pipe.recv(), second.pipe.recv()] == ["ends", "ends"]
    assert {*tags(log, 1)} == {f"{name} {number}" for name in ("first", "second") for number in range(10)}


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE submission SET labels = replace(labels, 'client A', 'client B') WHERE id = 1",
        "UPDATE submission SET labels = NULL WHERE id = 1",
        "UPDATE submission SET labels = (SELECT labels FROM submission WHERE id = 1) WHERE id = 2",
    ],
)
def test_labels_that_are_not_what_was_written_are_told(log: Log, damage: str) -> None:
    log.tag(1, "client A")
    log.close()
    with closing(sqlite3.connect(log.path)) as file, file:
        file.execute(damage)
    file.close()
    with pytest.raises(LogError, match="not match what was written"):
        log.frame()
    log.close()


def test_a_label_that_the_index_does_not_find_is_told(log: Log) -> None:
    for number in (1, 2, 3):
        log.tag(number, f"client {number}")
    log.close()
    with closing(sqlite3.connect(log.path)) as file, file:
        file.execute("PRAGMA writable_schema = ON")
        name = "submission_with_labels"
        (definition,) = file.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()
        changed = definition.replace("(labels)", "(labels DESC)")  # another order than that of its entries
        file.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?", (changed, name))
    file.close()
    with pytest.raises(LogError, match="index does not find submission"):
        log.tag(1, "another")
    log.close()


@pytest.mark.parametrize("index", ["submission_with_labels", "submission_planned", "submission_not_sealed"])
def test_a_row_that_an_index_of_the_frame_lacks_is_told(log: Log, index: str) -> None:
    for number in (1, 2, 3):
        log.tag(number, f"client {number}")
    log.close()
    with closing(sqlite3.connect(log.path)) as file, file:
        file.execute("PRAGMA writable_schema = ON")
        (definition,) = file.execute("SELECT sql FROM sqlite_master WHERE name = ?", (index,)).fetchone()
        partial = f"{definition}{' AND' if 'WHERE' in definition else ' WHERE'} id <> 2"
        file.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?", (partial, index))
    file.close()
    with closing(sqlite3.connect(log.path)) as file, file:
        file.execute(f"REINDEX {index}")
        file.execute("PRAGMA writable_schema = ON")
        file.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?", (definition, index))
    file.close()
    for options in (
        {},
        {"tag": "client 2"},
        {"columns": ["title"], "since": datetime(2020, 1, 1, tzinfo=UTC)},
    ):
        with pytest.raises(LogError, match="its submissions and their indexes differ"):
            log.frame(**options)
    log.close()


def test_a_deleted_tune_keeps_its_record_and_its_title(log: Log) -> None:
    log.tag(1, "good likeness")
    assert log.mark_deleted(SERVICE, 7)
    assert not log.mark_deleted(SERVICE, 99)
    frame = log.frame()
    assert frame["status"].tolist()[:2] == ["deleted", "queued"]
    assert list(frame["tags"].iloc[0]) == ["good likeness"]
    assert log.claimant(a_request("a")) is not None
    assert log.events()["kind"].iloc[-1] == "delete"


def test_a_tune_that_an_account_does_not_have_may_be_of_another(log: Log) -> None:
    assert not log.mark_deleted(SERVICE, 7, "5", is_confirmed=False)  # the log does not say whose it is
    own = log.plan(a_request("own", account="5"), sending=True)
    log.change(own, "done", reply={**REPLY, "id": 9, "title": "own"})
    assert not log.mark_deleted(SERVICE, 9, "6", is_confirmed=False)
    assert log.mark_deleted(SERVICE, 9, "5", is_confirmed=False)
    assert log.frame().set_index("id")["status"].to_dict()[9] == "deleted"
    assert "deleted" not in log.frame()["status"].tolist()[:2]


def test_a_log_is_loaded_without_pandas() -> None:
    code = "import sys, astria_nb.log; assert 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
