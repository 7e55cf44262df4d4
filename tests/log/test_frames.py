"""The log as frames and as files."""

import csv
import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astria_nb.errors import AstriaError, LogError
from astria_nb.log import Log
from astria_nb.log._export import defused, write
from astria_nb.rows import tune_frame
from helpers.pandas_types import TEXT
from helpers.submissions import IMAGES, REPLY, SERVICE, a_request

OURS = ["submission", "service", "account", "state", "planned_at", "problem", "tags", "note", "hidden"]


def trained(log: Log, title: str, tune_id: int, **reply: Any) -> int:
    submission = log.change(log.plan(a_request(title, images=IMAGES)), "sending")
    reply = {**REPLY, "title": title, "id": tune_id, **reply}
    return log.change(submission, "done", reply=reply, image_sha256=["aa", "bb"]).id


def types(frame: pd.DataFrame) -> dict[str, str]:
    return {str(name): str(kind) for name, kind in frame.dtypes.items()}


def test_a_row_is_that_of_a_tune_and_says_how_its_submission_stands(log: Log) -> None:
    submission = trained(log, "t", 7)
    (row,) = log.frame().to_dict("records")
    assert (row["id"], row["title"], row["pack"], row["status"]) == (7, "t", 43, "queued")
    assert (row["submission"], row["service"], row["state"]) == (submission, SERVICE, "done")
    assert list(row["image_sha256"]) == ["aa", "bb"]
    assert pd.isna(row["problem"])


@pytest.mark.parametrize("count", [0, 1, 3])
def test_columns_and_types_are_the_same_whatever_the_log_holds(log: Log, count: int) -> None:
    for number in range(count):
        trained(log, str(number), number + 1)
    expected = {**types(tune_frame([])), "submission": "Int64", "state": TEXT}
    expected |= {"planned_at": "datetime64[us, UTC]", "problem": TEXT}
    assert types(log.frame()) == {
        **expected,
        "tags": types(log.frame())["orig_images"],
        "note": TEXT,
        "hidden": "boolean",
    }
    assert list(log.frame().columns) == [*tune_frame([]).columns.drop(["service", "account"]), *OURS]


def test_only_what_is_asked_for_is_in_a_frame(log: Log) -> None:
    for number in (1, 2, 3):
        trained(log, str(number), number)
    frame = log.frame()
    half = frame["planned_at"].iloc[1].to_pydatetime()
    assert log.frame(since=half)["id"].tolist() == [2, 3]
    assert log.frame(since=half + timedelta(days=1)).empty
    assert len(log.frame(since=log.frame(tag="none")["planned_at"].max())) == 3  # NaT: there are no rows
    assert log.frame(since=half.astimezone(timezone(timedelta(hours=9))))["id"].tolist() == [2, 3]
    part = log.frame(columns=pd.Index(["state", "tags", "id"]), since=half)
    pd.testing.assert_frame_equal(part, frame[["state", "tags", "id"]].tail(2).reset_index(drop=True))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": "id"}, "columns: 'id' are not names of columns; give a list of names"),
        ({"columns": []}, "columns: .* are not names"),
        ({"columns": ["id", 7]}, "columns: .* are not names"),
        ({"columns": 7}, "columns: 7 are not names"),
        ({"columns": ["id", "id"]}, "columns: 'id' occurs twice; name it once"),
        ({"columns": ["id", "color"]}, r"columns: 'color' is not a column .*; list\(log.frame\(\).columns\)"),
        ({"since": datetime(2026, 1, 1)}, "since: has no time zone; write it like"),
        ({"since": "2026-01-01"}, "since: '2026-01-01' is not a datetime"),
    ],
)
def test_what_cannot_be_asked_for_is_told(log: Log, options: dict[str, Any], message: str) -> None:
    for title in ("a", "b"):
        with pytest.raises(AstriaError, match=message):
            log.frame(**options)
        trained(log, title, 1)


def test_what_has_no_tune_yet_is_a_row_too(log: Log) -> None:
    submission = log.plan(a_request("t", characteristics={"eye_color": "blue"}))
    log.change(submission, "needs_review", problem="look at your tunes")
    (row,) = log.frame().to_dict("records")
    assert (row["title"], row["name"], row["state"]) == ("t", "cat", "needs_review")
    assert row["problem"] == "look at your tunes"
    assert json.loads(row["characteristics"]) == {"eye_color": "blue"}
    assert pd.isna(row["id"])
    assert pd.isna(row["status"])


def test_a_failed_try_gives_way_to_the_next_one(log: Log) -> None:
    log.change(log.plan(a_request("t")), "rejected", problem="no")
    assert log.frame()["state"].tolist() == ["rejected"]
    trained(log, "t", 7)
    assert log.frame()["state"].tolist() == ["done"]
    assert log.events()["kind"].tolist() == ["planned", "rejected", "planned", "sending", "done"]


def test_a_field_of_the_service_does_not_pass_for_ours(log: Log) -> None:
    trained(log, "t", 7, state="theirs", problem="theirs")
    (row,) = log.frame().to_dict("records")
    assert row["state"] == "done"
    assert pd.isna(row["problem"])


def test_events_are_typed_also_when_there_are_none(log: Log) -> None:
    text, number = TEXT, "Int64"
    expected = {
        "id": number, "at": "datetime64[us, UTC]", "kind": text, "submission": number, "session": text,
        "service": text, "title": text, "tune_id": number, "attempt": number, "state": text,
        "fingerprint": text, "reply": text, "problem": text,
    }  # fmt: skip
    assert types(log.events()) == expected
    trained(log, "t", 7)
    events = log.events()
    assert types(events) == expected
    assert events["fingerprint"].nunique() == 1
    assert json.loads(events["reply"].iloc[-1])["id"] == 7
    assert events["at"].is_monotonic_increasing


def test_a_diff_names_what_differs(log: Log) -> None:
    a = log.plan(a_request("a", images=IMAGES, characteristics={"eyes": "blue", "hair": "red"}))
    b = log.plan(a_request("b", images=IMAGES[:1], characteristics={"eyes": "green"}, tune_ids=[1, 2]))
    diff = log.diff(a.id, b.id)
    assert types(diff) == {"field": TEXT, "a": TEXT, "b": TEXT}
    assert diff.astype(object).where(diff.notna(), None).to_numpy().tolist() == [
        ["title", "a", "b"],
        ["characteristics.eyes", "blue", "green"],
        ["characteristics.hair", "red", None],
        ["tune_ids", None, "[1, 2]"],
        ["images", "2.jpg (200 bytes)", None],
    ]
    assert log.diff(a.id, a.id).empty


def test_parquet_comes_back_with_its_types_nulls_and_lists(file_log: Log, tmp_path: Path) -> None:
    trained(file_log, "t", 2**53 + 1)
    file_log.plan(a_request("later", tune_ids=[]))
    path = file_log.export(tmp_path / "runs.parquet")
    back, frame = pd.read_parquet(path), file_log.frame()
    assert list(back.columns) == list(frame.columns)
    assert back["id"].tolist() == [2**53 + 1, pd.NA]
    assert list(back.loc[0, "image_sha256"]) == ["aa", "bb"]
    assert back.loc[1, "orig_images"] is None
    lists = [name for name, kind in types(frame).items() if kind.startswith("list")]
    texts = [name for name, kind in types(frame).items() if kind == TEXT]  # pandas 2.3 reads objects
    assert types(back.drop(columns=[*lists, *texts])) == types(frame.drop(columns=[*lists, *texts]))
    assert back[texts].fillna("").to_numpy().tolist() == frame[texts].fillna("").to_numpy().tolist()
    pd.testing.assert_frame_equal(pd.read_parquet(path, dtype_backend="pyarrow")[lists], frame[lists])


def test_csv_comes_back_with_nulls_and_lists_as_json(file_log: Log, tmp_path: Path) -> None:
    trained(file_log, 'a "title", with\nall; sorts', 7)
    file_log.plan(a_request("later"))
    back = pd.read_csv(file_log.export(str(tmp_path / "runs.csv")))
    assert back["title"].tolist() == ['a "title", with\nall; sorts', "later"]
    assert json.loads(back.loc[0, "image_sha256"]) == ["aa", "bb"]
    assert pd.isna(back.loc[1, "image_sha256"])
    assert pd.isna(back.loc[1, "id"])


def test_numbers_in_a_list_go_to_a_csv_too(file_log: Log, tmp_path: Path) -> None:
    trained(file_log, "t", 7, tune_ids=[7], prompt_ids=[5000001, 5000002])
    back = pd.read_csv(file_log.export(tmp_path / "runs.csv"))
    assert back[["tune_ids", "prompt_ids"]].loc[0].map(json.loads).tolist() == [[7], [5000001, 5000002]]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1", "=1", '"=1', "%0|x"])
def test_no_cell_of_a_csv_is_a_formula(file_log: Log, tmp_path: Path, text: str) -> None:
    trained(file_log, text, 7, characteristics={text: [text]}, orig_images=[text, "fine"], **{text: text})
    with file_log.export(tmp_path / "runs.csv").open(newline="", encoding="utf-8") as file:
        header, row = csv.reader(file)
    cells = dict(zip(header, row, strict=True))
    assert cells["title"] == f"'{text}"
    assert cells[f"'{text}"] == f"'{text}"
    assert json.loads(cells["orig_images"]) == [f"'{text}", "fine"]
    assert json.loads(cells["characteristics"]) == {f"'{text}": [f"'{text}"]}


@given(st.text())
def test_defused_text_never_begins_like_a_formula(text: str) -> None:
    assert not defused(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert defused(text).endswith(text)


@pytest.mark.parametrize(
    "text", ["[1.10]", '{"best": 1, "best": 2}', "[1e400]", '{"a":[1,  2]}', '[ "b" ,"\\u00e9"]', "[1", "{}"]
)
def test_a_csv_has_text_that_looks_like_json_as_it_is(file_log: Log, tmp_path: Path, text: str) -> None:
    trained(file_log, text, 7)
    file_log.note(1, text)
    back = pd.read_csv(file_log.export(tmp_path / "runs.csv"))
    assert back.loc[0, ["title", "note"]].tolist() == [text, text]


def test_only_the_formulas_in_json_are_changed_in_a_csv(file_log: Log, tmp_path: Path) -> None:
    trained(file_log, "t", 7)
    file_log.note(1, '{"best": 1.10, "\\u003d1": ["=1", "fine"], "best": 2}')
    back = pd.read_csv(file_log.export(tmp_path / "runs.csv"))
    assert back.loc[0, "note"] == '{"best": 1.10, "\'\\u003d1": ["\'=1", "fine"], "best": 2}'


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights, and links need one")
def test_an_export_follows_a_link_and_keeps_the_rights_of_its_file(file_log: Log, tmp_path: Path) -> None:
    shared, link = tmp_path / "shared" / "runs.csv", tmp_path / "runs.csv"
    shared.parent.mkdir()
    shared.write_text("old")
    shared.chmod(0o664)
    link.symlink_to(shared)
    trained(file_log, "t", 7)
    assert file_log.export(link) == link
    assert link.is_symlink()
    assert "t" in pd.read_csv(shared)["title"].tolist()
    assert shared.stat().st_mode & 0o777 == 0o664
    assert [path.name for path in shared.parent.iterdir()] == ["runs.csv"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_a_new_export_is_for_those_whom_other_new_files_are_for(file_log: Log, tmp_path: Path) -> None:
    (tmp_path / "new").touch()
    path = file_log.export(tmp_path / "runs.parquet")
    assert path.stat().st_mode == (tmp_path / "new").stat().st_mode


def test_a_failed_export_leaves_the_old_file_and_nothing_else(
    file_log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    path = folder / "runs.parquet"
    path.write_text("the old one")
    file_log.plan(a_request())

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.parquet.write_table", full)
    with pytest.raises(LogError, match="No space left on device"):
        file_log.export(path)
    assert [(file.name, file.read_text()) for file in folder.iterdir()] == [("runs.parquet", "the old one")]


def test_an_export_says_what_it_can_write(file_log: Log, tmp_path: Path) -> None:
    with pytest.raises(
        LogError, match=r"log: cannot be exported as '.xlsx'; end the file's name in .parquet or .csv"
    ):
        file_log.export(tmp_path / "runs.xlsx")
    with pytest.raises(LogError, match=r"cannot be exported to .* \(No such file or directory\); choose"):
        file_log.export(tmp_path / "nowhere" / "runs.csv")
    assert not file_log.path.exists() or file_log.frame().empty


def test_a_frame_is_not_made_for_a_file_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(LogError):
        write(lambda: pytest.fail("made"), tmp_path / "runs.txt")


def test_a_number_of_a_frame_that_a_file_made_a_float_finds_its_submission(log: Log) -> None:
    submission = trained(log, "t", 7)
    log.plan(a_request("later"))
    numbers = log.frame()["submission"].astype(float)
    assert log.get(numbers.iloc[0]).id == submission
    assert log.diff(*numbers)["field"].tolist()[0] == "title"
