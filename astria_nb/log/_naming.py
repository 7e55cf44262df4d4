"""The submissions of a log that an argument names, as numbers or rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import pandas as pd

from astria_nb import rows
from astria_nb.errors import LogError, Problem, TuneError
from astria_nb.log._database import LogDatabase
from astria_nb.log._errors import NoSubmissionError
from astria_nb.log._states import Submission
from astria_nb.utils.arguments import parse_id

_HINT = "choose one of log.frame(hidden=True)['submission']"
_PRECISION = timedelta(milliseconds=1)  # precision of times in a frame that came back from JSON


def numbers(database: LogDatabase, value: object) -> list[int]:
    """Return the numbers of the named submissions, all of which are in the log.

    Parameters
    ----------
    database : LogDatabase
    value : int, Submission, DataFrame or iterable
        As for `astria_nb.log._labelling.LogLabels`.

    Raises
    ------
    TuneError
        The rows are not tunes.
    LogError
        The log has no such submission. The error is also a `KeyError`.
    """
    if (listed := _listed_numbers(value)) is None:
        frame = rows.typed(value)
        if rows.are_prompts(frame):
            hint = "pass the rows that submit or wait returned"
            raise TuneError(Problem("frame", "these are prompts, not tunes", hint))
        return [_number_of_row(database, row) for row in frame.to_dict("records")]
    for number in listed:
        if database.get(number) is None:
            raise _not_there(str(number), _hint_for(database, number))
    return listed


def only_submission(database: LogDatabase, value: object) -> Submission:
    """Return the named submission; parameters and errors as for `numbers`.

    Raises
    ------
    TuneError
        No submission is named, or several are.
    """
    named = numbers(database, value)
    submission = database.get(named[0]) if len(named) == 1 else None
    if submission is None:
        what = f"expected one submission, got {len(named)}"
        raise TuneError(Problem("submission", what, "give its number, or one row, such as rows.iloc[[0]]"))
    return submission


def numbers_of_row(database: LogDatabase, row: Mapping[Any, Any]) -> list[int]:
    """Return the submission of a row, or one for each service that may have it.

    Parameters
    ----------
    database : LogDatabase
    row : mapping
        A row of a typed frame.
    """
    recorded = _numbered(database, row)
    if recorded is not None:
        return [recorded.id]
    service, account = (row[name] if isinstance(row[name], str) else None for name in ("service", "account"))
    return database.numbers_of(parse_id(row["id"]), rows.ids_in(row["prompt_ids"]), service, account)


def _numbered(database: LogDatabase, row: Mapping[Any, Any]) -> Submission | None:
    """Return the submission with the number of a row, unless the number belongs to another log."""
    number = parse_id(row.get("submission"))
    planned_at: Any = row.get("planned_at")
    recorded = None if number is None or pd.isna(planned_at) else database.get(number)
    if recorded is None or abs(planned_at - recorded.planned_at) >= _PRECISION:
        return None
    title = row["title"] if isinstance(row["title"], str) else None
    return recorded if recorded.title == title else None


def _number_of_row(database: LogDatabase, row: Mapping[Any, Any]) -> int:
    matching = numbers_of_row(database, row)
    if len(matching) == 1:
        return matching[0]
    name = "a run without a tune" if parse_id(row["id"]) is None else f"tune {row['id']}"
    if matching:
        what = f"has {name} of several services: submissions {', '.join(map(str, matching))}"
        raise LogError(Problem("log", what, "give the number of the one that you mean"))
    raise _not_there(f"of {name}", f"{_HINT}, or open the log that recorded it")


def _not_there(which: str, hint: str) -> NoSubmissionError:
    return NoSubmissionError(Problem("log", f"has no submission {which}", hint, kind="not_found"))


def _hint_for(database: LogDatabase, number: int) -> str:
    """Return what to do about a number that no submission has: it may be a tune's id."""
    of_tune = database.numbers_of(number, (), None, None)
    if not of_tune:
        return _HINT
    if len(of_tune) == 1:
        return f"tune {number} is submission {of_tune[0]}: pass that, or the row"
    return f"submissions {', '.join(map(str, of_tune))} are tunes {number} of several services: pass one"


def _listed_numbers(value: object) -> list[int] | None:
    """Return the number or numbers in a value, or None if it contains rows."""
    if isinstance(value, Submission):
        return [value.id]
    if (number := parse_id(value)) is not None:
        return [number]
    # A column with another name holds the ids of tunes, as everywhere.
    is_of_tunes = isinstance(value, pd.Series) and value.name != "submission"
    if is_of_tunes or isinstance(value, str | bytes | Mapping | pd.DataFrame):
        return None
    if hasattr(value, "columns") or not isinstance(value, Iterable):
        return None
    parts = list(value)
    parsed = [part.id if isinstance(part, Submission) else parse_id(part) for part in parts]
    return None if None in parsed else [number for number in parsed if number is not None]
