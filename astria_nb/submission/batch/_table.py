"""A frame, or an iterable of tunes, as checked tunes with a title each, and a frame of problems."""

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
from astria_nb.utils.arrow_to_pandas import TEXT_DTYPE
from astria_nb.utils.formatting import short


@dataclass(frozen=True)
class Table:
    """The tunes of a batch, in the order of its rows.

    Attributes
    ----------
    tunes : tuple of (Tune or None)
        None for a row with problems. Images are not opened: `astria_nb.tune.opened` does that.
    index : pandas.Index
        The frame's own index; a `RangeIndex` for an iterable.
    keys : tuple of (str or None)
        The values of the column ``key``, as text.
    classes : dict of int to tuple of (pack, str or None)
        Pack and class of each row with other problems, by its position; None for a wrong class. So all
        problems of a row are reported at once.
    problems : pandas.DataFrame
        All problems: ``row`` (its label in `index`; missing if a column is at fault), ``field`` and
        ``message``. Empty if there are none.
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
        Columns are fields of `Tune`, as are index levels with their names.
        ``characteristics.eye_color`` and ``prompt_attributes.num_images`` are
        entries of a field that is a mapping. A missing value of any kind means an absent field. A list may be
        text, as in CSV: JSON, or as Python and numpy print it. Tables of polars, DuckDB and Arrow are read,
        too, as is any object that exports Arrow streams.
    ignore : str or collection of str
        The caller's own columns. Any other column that is not a field is a problem.

    Returns
    -------
    Table

    Raises
    ------
    TuneError
        The value is not a table (a single tune, for example), or `ignore` is not a list.

    Notes
    -----
    A row without ``title`` gets one: from its ``key``, a column that is not sent, or else from its values as
    they are written. So the same row has the same title in each run, on each machine, at any position in the
    frame and with any column types. A path counts as written, not the content of its file; content in memory
    counts by its hash. Callbacks, signatures of addresses, the order of images, and line ends do not count.
    Two rows that are equal on purpose need different keys. A key counts as CSV returns it: ``007`` is 7.

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
        raise TuneError(Problem("ignore", f"{short(own)} is not a list of columns", hint))
    ignore = [own] if isinstance(own, str) else own
    if isinstance(value, pd.DataFrame):
        return _read_frame(value, ignore)
    if isinstance(value, pd.Series):
        raise _no_table(value, "give a frame with a column for each field: row.to_frame().T")
    if callable(to_records := getattr(value, "to_dicts", None) or getattr(value, "to_pylist", None)):
        value = to_records()  # from polars or Arrow
    elif hasattr(value, "__arrow_c_stream__"):  # such as an Arrow reader, or a result of DuckDB
        # If that fails, it may hold tunes, as an object column of polars does.
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
    """Return a frame with the index levels that are named after a field, or ``key``, as columns."""
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
    """Return a row from `DataFrame.iterrows` or `itertuples` as a mapping; otherwise the item."""
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
    """Return problems, each with the position of its row or None, in the form of `Table.problems`."""
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
    return TuneError(Problem("tunes", f"{short(value)} is not a table of tunes", hint))
