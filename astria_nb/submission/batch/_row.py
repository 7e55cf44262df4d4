"""One row of a batch: its cells become a tune with a title."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from astria_nb.errors import Problem, TuneError
from astria_nb.images import Image, ImageContent, is_content
from astria_nb.submission.batch._cells import entry_value, field_value
from astria_nb.submission.batch._columns import KEY, Column
from astria_nb.submission.batch._made_titles import (
    former_title_of_values,
    key_text,
    title_of_key,
    title_of_values,
)
from astria_nb.submission.batch._printed_lists import is_shortened
from astria_nb.tune import FIELDS, Tune, check, from_checked
from astria_nb.tune.plain import is_blank, is_missing, plain
from astria_nb.utils.formatting import short

_ANY_TITLE = "title"  # a placeholder for a title that has not been made yet


@dataclass(slots=True)
class ReadRow:
    """The result of reading one row.

    Attributes
    ----------
    tune : Tune or None
        None if there are problems.
    key : str or None
    problems : list of Problem
    is_from_values : bool
        Whether the title was made from the values of the row.
    pack : int or str or None
        None if it is missing or wrong.
    name : str or None
        The class; None if it is missing or wrong.
    may_have_key : bool
        False if it is a tune, which has no key.
    named_by : str or None
        The column, ``key`` or ``title``, that its title is from; None if it is from the values of the row.
    unnamed_by : sequence of str
        Those of the two columns that it has, without a value in it.
    former_title : str or None
        Under which the same row may have been sent, if it is another title than that of the tune.
    """

    tune: Tune | None
    key: str | None
    problems: Sequence[Problem] = field(default_factory=list)
    is_from_values: bool = False
    pack: int | str | None = None
    name: str | None = None
    may_have_key: bool = True
    named_by: str | None = None
    unnamed_by: Sequence[str] = ()
    former_title: str | None = None


def read_record(columns: Sequence[Column], cells: Sequence[Any]) -> ReadRow:
    """Return the tune of a row.

    Parameters
    ----------
    columns : sequence of Column
    cells : sequence of object
        One for each column.
    """
    row = _read(columns, cells)
    pairs = zip(columns, cells, strict=True)
    empty = {column.field for column, cell in pairs if is_missing(cell) or is_blank(cell)}
    row.unnamed_by = tuple(name for name in (KEY, "title") if name in empty)
    if row.key is not None or (any(column.field == "title" for column in columns) and "title" not in empty):
        row.named_by = "title" if row.key is None else KEY
    return row


def _read(columns: Sequence[Column], cells: Sequence[Any]) -> ReadRow:
    record, problems = _record(columns, cells)
    key = _key(record.pop(KEY, None), problems)
    has_title = "title" in record
    sources = record["images"] = _settled(record.get("images"))
    if not has_title:
        record["title"] = _ANY_TITLE if key is None else title_of_key(key)
    values, wrong = check(record, opens_images=False)
    shortened = [column.field for column, cell in zip(columns, cells, strict=True) if _is_short(column, cell)]
    problems += [_shortened(name) for name in shortened]
    problems += [_of_number(one, columns, cells) for one in wrong if one.field not in shortened]
    if problems:
        return ReadRow(None, key, problems, pack=values["pack"] or None, name=values["name"])
    is_from_values, former = not has_title and key is None, None
    if is_from_values:
        try:
            values["title"] = title_of_values(values, sources)
            former = former_title_of_values(values, sources)
        except Exception as error:  # noqa: BLE001  content in memory may raise anything
            what = f"cannot be read ({type(error).__name__})"
            return ReadRow(None, key, [Problem("images", what, "give bytes, or the path of a file")])
    tune = from_checked(values)
    return ReadRow(
        tune, key, is_from_values=is_from_values, pack=tune.pack, name=tune.name, former_title=former
    )


def _is_short(column: Column, cell: Any) -> bool:
    """Return whether a cell has a list as it was printed, without some of its items."""
    is_list = column.field in FIELDS and FIELDS[column.field].shape == "list"
    return is_list and isinstance(cell, str) and is_shortened(cell)


def _shortened(name: str) -> Problem:
    what = "was shortened when it was printed: items are missing where it has '...'"
    return Problem(name, what, "save the table as Parquet or JSON, which keep the whole list, and read that")


def _of_number(problem: Problem, columns: Sequence[Column], cells: Sequence[Any]) -> Problem:
    """Return the problem with text that was read from a file as a number: 007 differs from 7.

    Quotes that were written into the file would be part of the text.
    """
    pairs = zip(columns, cells, strict=True)
    cell = next((plain(cell) for column, cell in pairs if column.label == problem.field), None)
    is_text = (spec := FIELDS.get(problem.field.partition(".")[0])) is not None and spec.holds == "text"
    if not is_text or is_missing(cell) or not isinstance(cell, int | float | Decimal):
        return problem
    hint = f"give text; from a file, read it with dtype={{{problem.field!r}: str}}"
    return replace(problem, hint=hint if isinstance(cell, bool) else f"{hint}: '007' is not '7'")


def read_tune(item: Any) -> ReadRow:
    """Return an item of an iterable of tunes; a run without a title gets a title like a row."""
    if isinstance(item, Tune):
        is_from_values, former = item.title is None, None
        if is_from_values:
            values = vars(item)
            former = former_title_of_values(values, item.images)
            item = from_checked({**values, "title": title_of_values(values, item.images)})
        own = item.pack, item.name
        return ReadRow(item, None, (), is_from_values, *own, may_have_key=False, former_title=former)
    what = f"{short(item)} is not a tune"
    return ReadRow(None, None, [Problem("tunes", what, "give anb.Tune(…), or a mapping of its fields")])


def _record(columns: Sequence[Column], cells: Sequence[Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the values of the fields that are present, with the entries of mappings merged into them."""
    record: dict[str, Any] = {}
    problems: list[Problem] = []
    entries: dict[str, dict[str, Any]] = {}
    for column, cell in zip(columns, cells, strict=True):
        if is_missing(cell) or is_blank(cell):
            continue
        if column.entry is not None:
            value = entry_value(column.field, column.entry, cell)
            entries.setdefault(column.field, {})[column.entry] = value
        else:
            record[column.field] = cell if column.field == KEY else field_value(column.field, cell)
    for name, more in entries.items():
        whole = record.get(name, {})
        if not isinstance(whole, Mapping):
            continue  # the check of the field reports what is wrong
        for entry, cell in more.items():
            if entry in whole and not is_missing(whole[entry]) and whole[entry] != cell:
                what = f"is in the columns {name!r} and '{name}.{entry}', with different values"
                problems.append(Problem(f"{name}.{entry}", what, "leave out one of the two"))
        record[name] = {**whole, **more}
    return record, problems


def _key(cell: Any, problems: list[Problem]) -> str | None:
    if cell is None:
        return None
    key = key_text(cell)
    if key is None:
        problems.append(Problem(KEY, f"{short(cell)} is not a key", "give text or a whole number"))
    return key


def _settled(images: Any) -> Any:
    """Return a value of ``images`` that can be read twice."""
    if images is None or isinstance(images, str | Mapping | ImageContent) or is_content(images):
        return _read_once(images)
    if isinstance(images, Sequence) or not hasattr(images, "__iter__"):
        is_plain = not isinstance(images, Sequence) or all(type(item) is str for item in images)
        return images if is_plain else [_read_once(item) for item in images]
    return [_read_once(item) for item in images]


def _read_once(item: Any) -> Any:
    """Return an open file as an image that is copied from it; anything else is returned unchanged."""
    if not callable(getattr(item, "read", None)):
        return item
    with suppress(TuneError):  # its problem is reported when it is read again
        return Image.open(item)
    return item
