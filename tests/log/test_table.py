"""The log's table for a terminal."""

from typing import Any
from unicodedata import east_asian_width

import pandas as pd

from astria_nb.log.table import table

CAT = "\N{CJK UNIFIED IDEOGRAPH-732B}"  # two columns wide


def frame(*rows: dict[str, Any]) -> pd.DataFrame:
    defaults = {"planned_at": pd.Timestamp("2026-01-01T12:00Z"), "state": "done", "pack": 43, "problem": None}
    defaults |= {"tags": (), "note": None}
    return pd.DataFrame([{"submission": number, **defaults, **row} for number, row in enumerate(rows, 1)])


def columns(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def test_wide_names_do_not_move_the_title() -> None:
    rows = [{"id": 1, "name": CAT * 3, "title": "first"}, {"id": 2, "name": "cat", "title": "second"}]
    header, first, second = table(frame(*rows))
    starts = {columns(line[: line.index(title)]) for line, title in ((first, "first"), (second, "second"))}
    assert starts == {header.index("title")}


def test_a_submission_without_a_tune_has_an_empty_id() -> None:
    rows = frame({"id": 1000001, "name": "cat", "title": "t"}, {"id": None, "name": "cat", "title": "u"})
    _, _, line = table(rows.astype({"id": "Int64"}))
    assert line.split() == ["2", "2026-01-01", "12:00Z", "done", "43", "cat", "u"]


def test_a_line_is_cut_to_the_width_in_columns() -> None:
    _, line = table(frame({"id": 1, "name": "cat", "title": CAT * 60}), width=80)
    assert 79 <= columns(line) <= 80
    assert line.endswith(f"{CAT}…")


def test_a_title_cannot_start_a_line_of_its_own() -> None:
    lines = list(table(frame({"id": 1, "name": "a\nb", "title": "first\nsecond\x1b[2J"})))
    assert len(lines) == 2
    assert lines[1].endswith(" a b  first second?[2J")


def test_a_problem_stands_below_its_submission() -> None:
    _, _, problem = table(frame({"id": 1, "name": "cat", "title": "t", "problem": "no answer"}))
    assert problem == " " * 11 + "no answer"
