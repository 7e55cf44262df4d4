"""A frame, or an iterable of tunes, as checked tunes with one title each, and a frame of what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import pandas as pd
import pyarrow as pa

from astria_nb.errors import Problem, TuneError
from astria_nb.submission.batch._columns import KEY, columns_of
from astria_nb.submission.batch._photo_columns import hint_for_photo_rows
from astria_nb.submission.batch._row import ReadRow, read_record, read_tune
from astria_nb.submission.batch._same_titles import problems_with_titles
from astria_nb.tune import FIELDS, Tune
from astria_nb.utils.arrow import TEXT_DTYPE
from astria_nb.utils.formatting import short


@dataclass(frozen=True)
class Table:
    """The tunes of a batch, in the order of its rows.

    Attributes
    ----------
    tunes : tuple of (Tune or None)
        None where the row is wrong. Their images are not opened: `astria_nb.tune.opened` does that.
    index : pandas.Index
        The frame's own; a `RangeIndex` for an iterable.
    keys : tuple of (str or None)
        The values of the column ``key``, as text.
    classes : dict of int to tuple of (pack, str or None)
        Pack and class of each row that is wrong in something else, by its position; a class that is wrong too
        is None. So all that is wrong with a row is told at once.
    problems : pandas.DataFrame
        Everything that is wrong: ``row`` (its label in `index`; missing if a column is at fault), ``field``
        and ``message``. Empty if nothing is.
    details : tuple of ((int or None), Problem)
        The same, each with the position of its row; None if a column is at fault.
    former_titles : dict of int to str
        Under which rows without title and key may have been sent before, where that is not the title of their
        tune: fewer signatures of addresses were known.
    from_values : frozenset of int
        Rows whose titles are made from their values.
    unnamed : dict of int to str
        Rows that lack key and title, and the column, ``key`` or ``title``, that names others.
    """

    tunes: tuple[Tune | None, ...]
    index: pd.Index[Any]
    keys: tuple[str | None, ...]
    classes: Mapping[int, tuple[int | str, str | None]]
    problems: pd.DataFrame
    details: tuple[tuple[int | None, Problem], ...]
    former_titles: Mapping[int, str] = field(default_factory=dict)
    from_values: frozenset[int] = frozenset()
    unnamed: Mapping[int, str] = field(default_factory=dict)


def read_tunes(tunes: pd.DataFrame | Iterable[Any], *, ignore: Collection[Hashable] = ()) -> Table:
    """Check all rows of a batch; nothing is sent, and no image is opened.

    Parameters
    ----------
    tunes : DataFrame or iterable of (Tune or mapping)
        Columns are fields of `Tune`, and so are levels of the index that have their names.
        ``characteristics.eye_color`` and ``prompt_attributes.num_images`` are
        entries of a field that is a mapping. A missing value of any kind is an absent field. A list may be
        text as CSV has it: JSON, or as Python and numpy print it. Tables of polars, DuckDB and Arrow are read
        too, and whatever else hands over Arrow's streams.
    ignore : str or collection of str
        Columns that are the caller's own. Any other that is no field is a problem.

    Returns
    -------
    Table

    Raises
    ------
    TuneError
        It is no table, such as a single tune; or `ignore` is no list.

    Notes
    -----
    A row without ``title`` gets one: from its ``key``, a column that is not sent, or else from its values as
    they are written. So the same row has the same title in each run, on each machine, wherever it stands in
    the frame and whatever type its columns have. A path counts as written, not the content of its file;
    content in memory counts by its hash. Callbacks do not count, nor do signatures of addresses, the order of
    images, and line ends. Two rows that are equal on purpose need two keys. A key counts as CSV gives it
    back: ``007`` is 7.

    Examples
    --------
    >>> frame = pd.DataFrame({"pack": [43, 43], "name": ["cat", None], "key": ["a", "b"]})
    >>> frame["image_urls"] = "https://example.com/1.jpg"
    >>> table = read_tunes(frame)
    >>> table.tunes[0].title, table.tunes[1]
    ('batch-a', None)
    >>> table.problems.to_dict("records")
    [{'row': 1, 'field': 'name', 'message': "is missing; give a class of the pack, such as 'woman'"}]
    """
    value: Any = tunes
    own: Any = ignore
    if not isinstance(own, Collection):
        hint = "give the names of your own columns in a list"
        raise TuneError(Problem("ignore", f"{short(own)} is no list of columns", hint))
    ignore = [own] if isinstance(own, str) else own
    if isinstance(value, pd.DataFrame):
        return _read_frame(value, ignore)
    if isinstance(value, pd.Series):
        raise _no_table(value, "give a frame with a column for each field: row.to_frame().T")
    if callable(to_records := getattr(value, "to_dicts", None) or getattr(value, "to_pylist", None)):
        value = to_records()  # of polars, or of Arrow
    elif hasattr(value, "__arrow_c_stream__"):  # such as a reader of Arrow, and what DuckDB returns
        # Where that fails, it may hold tunes, as a column of objects of polars does.
        with suppress(pa.ArrowException, ValueError, TypeError, NotImplementedError):
            value = pa.table(value).to_pylist()
    if isinstance(value, Mapping):
        return _read_frame(_frame_of(value), ignore)
    if isinstance(value, Tune | str | bytes) or not isinstance(value, Iterable):
        if callable(getattr(value, "collect", None)):  # a lazy frame of polars
            raise _no_table(value, "give frame.collect()")
        hint = "put it in a list: [tune]" if isinstance(value, Tune) else "give a frame, or a list of tunes"
        raise _no_table(value, hint)
    return _read_items(list(value), ignore)


def _read_frame(frame: pd.DataFrame, ignore: Collection[Hashable]) -> Table:
    index, given, frame = frame.index, frame, _with_index(frame, ignore)
    columns, problems = columns_of(frame.columns, ignore, frame)
    if problems:
        empty = (None,) * len(frame)
        details = [(None, problem) for problem in problems]
        return Table(empty, index, empty, {}, frame_of_problems(details, index), tuple(details))
    cells = [frame.iloc[:, column.position].tolist() for column in columns]
    rows = zip(*cells, strict=True) if cells else [()] * len(frame)
    whole = given if given is frame else None  # the code is for a frame as its owner has it
    hint_for_photos = cache(partial(hint_for_photo_rows, whole, ignore))
    return _table([read_record(columns, row) for row in rows], index, hint_for_photos)


def _with_index(frame: pd.DataFrame, ignore: Collection[Hashable]) -> pd.DataFrame:
    """Return a frame with the levels of its index that are named after a field, or ``key``, as columns."""
    taken = {*frame.columns, *ignore}
    levels = {
        name: frame.index.get_level_values(number)
        for number, name in enumerate(frame.index.names)
        if name not in taken and isinstance(name, str) and (name in FIELDS or name == KEY)
    }
    return frame.assign(**levels) if levels else frame


def _read_items(items: list[Any], ignore: Collection[Hashable]) -> Table:
    rows = []
    for item in map(_mapping_of, items):
        if isinstance(item, Mapping):
            columns, problems = columns_of(item, ignore)
            values = list(item.values())
            cells = [values[column.position] for column in columns]
            rows.append(ReadRow(None, None, problems) if problems else read_record(columns, cells))
        else:
            rows.append(read_tune(item))
    return _table(rows, pd.RangeIndex(len(items)))


def _mapping_of(item: Any) -> Any:
    """Return a row as `DataFrame.iterrows` and `itertuples` give it as a mapping; else the item."""
    if isinstance(item, pd.Series):
        return item.to_dict()
    return item._asdict() if isinstance(item, tuple) and hasattr(item, "_asdict") else item


def _table(
    rows: list[ReadRow], index: pd.Index[Any], hint_for_photos: Callable[[], str] = hint_for_photo_rows
) -> Table:
    same = problems_with_titles(rows, index, hint_for_photos)
    problems = [
        (position, problem)
        for position, row in enumerate(rows)
        for problem in [*row.problems, *same.get(position, ())]
    ]
    tunes = tuple(None if position in same else row.tune for position, row in enumerate(rows))
    keys = tuple(row.key for row in rows)
    classes = {
        position: (row.pack, row.name)
        for position, row in enumerate(rows)
        if tunes[position] is None and row.pack is not None
    }
    former = {position: row.former_title for position, row in enumerate(rows) if row.former_title}
    from_values = frozenset(position for position, row in enumerate(rows) if row.is_from_values)
    wrong = frame_of_problems(problems, index)
    return Table(tunes, index, keys, classes, wrong, tuple(problems), former, from_values, _unnamed(rows))


def _unnamed(rows: Sequence[ReadRow]) -> dict[int, str]:
    used = {row.named_by for row in rows}
    return {
        position: column
        for position, row in enumerate(rows)
        if row.named_by is None and (column := next((name for name in row.unnamed_by if name in used), None))
    }


def frame_of_problems(problems: Sequence[tuple[int | None, Problem]], index: pd.Index[Any]) -> pd.DataFrame:
    """Return problems, each with the position of its row or None, as `Table.problems` has them."""
    positions = [position for position, _ in problems if position is not None]
    rows: Any = index.take(positions) if len(positions) == len(problems) else [None] * len(problems)
    if isinstance(rows, pd.MultiIndex):
        rows = rows.to_flat_index()
    return pd.DataFrame(
        {
            "row": pd.Series(rows, dtype=None if len(positions) == len(problems) else object),
            "field": pd.Series([problem.field for _, problem in problems], dtype=TEXT_DTYPE),
            "message": pd.Series(
                [f"{problem.what}; {problem.hint}" for _, problem in problems], dtype=TEXT_DTYPE
            ),
        }
    )


def _frame_of(columns: Mapping[Any, Any]) -> pd.DataFrame:
    try:
        return pd.DataFrame(columns)
    except (ValueError, TypeError):
        is_one = all(map(pd.api.types.is_scalar, columns.values()))
    hint = "put it in a list: [fields]" if is_one else "give columns of one length, or a list of mappings"
    raise _no_table(columns, hint)


def _no_table(value: object, hint: str) -> TuneError:
    return TuneError(Problem("tunes", f"{short(value)} is no table of tunes", hint))
