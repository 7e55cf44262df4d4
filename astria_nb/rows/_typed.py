"""Rows in any form, as typed frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, TypeAlias

import pandas as pd
import pyarrow as pa

from astria_nb.errors import Problem, TuneError
from astria_nb.rows._columns import HINT, are_prompts, is_of_log, with_id_column, without_odd_columns
from astria_nb.rows._prompts import prompt_frame
from astria_nb.rows._schemas import LABEL_SCHEMA, LOG_SCHEMA, PROMPT_SCHEMA, TUNE_SCHEMA
from astria_nb.rows._tunes import tune_frame
from astria_nb.rows._values import is_absent, to_array
from astria_nb.utils.arguments import parse_id
from astria_nb.utils.arrow_to_pandas import to_pandas
from astria_nb.utils.formatting import short

Rows: TypeAlias = Iterable[Any] | int
"""Rows in any form that `typed` reads: a frame, a Series, a mapping, a list of those or of ids, or one id."""
# Other objects that users have in a notebook, by the name of the type, and where their rows are.
_OTHERS = {
    "TuneForm": "pass form.rows",
    "Tune": "submit it first: row = anb.submit(tune, client)",
    "ExperimentLog": "pass log.frame()",
    "Client": "pass list(client.tunes())",
    "str": "read a file first, such as with pd.read_csv(path)",
}


def typed(rows: object) -> pd.DataFrame:
    """Return rows of tunes or prompts with the types of `tune_frame` or `prompt_frame`.

    Every function that takes rows reads them with this one, so rows that come back from a file, a database or
    another library can be passed as they are.

    Parameters
    ----------
    rows : DataFrame, Series, mapping, iterable, or id
        Rows of tunes, of ``log.frame()`` or of `astria_nb.prompts`: a frame whatever the dtypes of its
        columns (also `flat`, and one of Arrow, polars or DuckDB), one row of it, such as ``rows.iloc[0]``, as
        a Series or a dictionary, a list of such rows, the ids of tunes, or one id.

    Returns
    -------
    pandas.DataFrame
        The same columns, rows and index, with the missing documented columns added as nulls.
        Already typed rows are returned as they are. Times without a time zone are taken as UTC.

    Raises
    ------
    TuneError
        These are not rows, or a value does not fit the type of its column.

    Notes
    -----
    pandas itself loses some values, before this function sees them:

    - ``to_parquet`` writes lists with a type that a plain ``read_parquet`` cannot read: it raises
      (pandas#53011). With pyarrow 19, ``pd.read_parquet(path, dtype_backend="pyarrow")`` reads the file.
    - ``to_sql`` writes memory addresses instead of lists, without an error. ``convert_dtypes()``,
      ``drop_duplicates()`` and ``nunique()`` raise for lists.
    - ``to_csv`` cuts lists of more than a thousand items. Reading CSV or JSON turns a title such as ``007``
      into a number, unless it is read as text: ``pd.read_csv(path, dtype=str)``.
    - ``to_json`` writes milliseconds; ``date_unit="us"`` keeps times exact.

    `flat` makes a table without lists, which avoids all of this, and ``log.export`` writes a Parquet file
    that a plain ``read_parquet`` can read.

    Examples
    --------
    >>> import io, pandas as pd, astria_nb as anb
    >>> row = anb.rows.tune_frame([{"id": 7, "created_at": "2026-01-01T12:00:00Z", "orig_images": ["x"]}])
    >>> back = anb.rows.typed(pd.read_csv(io.StringIO(row.to_csv())))
    >>> back.loc[0, "created_at"], back.loc[0, "orig_images"][0]
    (Timestamp('2026-01-01 12:00:00+0000', tz='UTC'), 'x')
    >>> anb.rows.typed([7, 8])["id"].tolist()
    [7, 8]
    """
    frame = without_odd_columns(_frame_of(rows))
    dtypes = _dtypes(are_prompts(frame), is_of_log(frame))
    present = dict(frame.dtypes.items())
    to_convert = [name for name, (dtype, _) in dtypes.items() if name in present and present[name] != dtype]
    missing = [name for name in dtypes if name not in present]
    if not to_convert and not missing:
        return frame
    arrays = {name: _array(frame[name], dtypes[name][1]) for name in to_convert}
    arrays |= {name: pa.nulls(len(frame), dtypes[name][1]) for name in missing}
    converted = to_pandas(pa.table(arrays))
    columns = {name: (converted if name in arrays else frame)[name].array for name in [*frame, *missing]}
    return pd.DataFrame(columns, index=frame.index)


@cache
def _dtypes(are_of_prompts: bool, are_of_log: bool) -> dict[str, tuple[Any, pa.DataType]]:
    """Return the types of the documented columns, in pandas and in Arrow."""
    fields = [
        *(PROMPT_SCHEMA if are_of_prompts else TUNE_SCHEMA),
        *((*LOG_SCHEMA, *LABEL_SCHEMA) if are_of_log else ()),
    ]
    schema = pa.schema({field.name: field.type for field in fields})
    dtypes = to_pandas(schema.empty_table()).dtypes
    return {field.name: (dtypes[field.name], field.type) for field in schema}


def _array(values: pd.Series[Any], arrow_type: pa.DataType) -> pa.Array:
    name = values.name
    try:
        array = to_array(values, arrow_type)
        if name == "id" and (wrong := [number for number in array.drop_null().to_pylist() if number < 1]):
            raise ValueError(wrong[0], "an id")
        return array
    except ValueError as error:
        value, expected = error.args[0], error.args[-1]
    if name == "id":
        raise TuneError(Problem("frame", f"{short(value)} is not an id", "give a whole number above 0"))
    what = f"the column {name!r} has {short(value)}, which is not {expected}"
    hint = f"drop it: rows.drop(columns={name!r}); or save rows as anb.rows.flat(rows)"
    raise TuneError(Problem("frame", what, hint))


def _frame_of(rows: object) -> pd.DataFrame:
    if isinstance(rows, pd.DataFrame):
        return with_id_column(rows)
    if isinstance(rows, pd.Series):
        return _of_series(rows)
    if isinstance(rows, Mapping):
        return _of_mappings([rows])
    if hasattr(rows, "__arrow_c_stream__"):
        try:
            return _of_arrow(pa.table(rows))
        except (pa.ArrowException, ValueError, TypeError):
            pass  # one column, such as a Series of polars
    if isinstance(rows, str | bytes) or not isinstance(rows, Iterable):
        if is_absent(rows):
            raise _no_rows(rows)
        return _of_ids([rows])
    return _of_parts(list(rows))


def _of_arrow(table: pa.Table) -> pd.DataFrame:
    # Without the metadata of pandas: it has a type name for lists that Arrow 18 cannot read.
    schema = pa.schema([field.with_type(_plain_type(field.type)) for field in table.schema])
    frame: pd.DataFrame = table.cast(schema).to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def _plain_type(arrow_type: pa.DataType) -> pa.DataType:
    """Return a type without polars' text views, which pandas cannot read."""
    if pa.types.is_string_view(arrow_type):
        return pa.string()
    if pa.types.is_list(arrow_type) or pa.types.is_large_list(arrow_type):
        return pa.list_(_plain_type(arrow_type.value_type))
    return arrow_type


def _of_parts(parts: list[Any]) -> pd.DataFrame:
    parts = [part._asdict() if hasattr(part, "_asdict") else part for part in parts]  # from itertuples
    if parts and all(isinstance(part, Mapping) for part in parts):
        return _of_mappings(parts)
    if not any(isinstance(part, pd.DataFrame | pd.Series | Mapping) for part in parts):
        return _of_ids(parts)
    return pd.concat([typed(part) for part in parts])


def _of_series(row: pd.Series[Any]) -> pd.DataFrame:
    if row.name != "id" and "id" in row.index:
        return pd.DataFrame([row.tolist()], index=[row.name], columns=row.index, dtype=object)
    return _of_ids(row.tolist()).set_axis(row.index)


def _of_mappings(records: list[Mapping[Any, Any]]) -> pd.DataFrame:
    # As objects: ids would become floats if some are missing.
    if len(records) == 1 and (values := [*records[0].values()]):  # perhaps from a frame's to_dict
        if isinstance(records[0].get("id"), Mapping | list | pd.Series):
            columns = {name: _as_objects(value) for name, value in records[0].items()}
            has_types = any(isinstance(value, pd.Series) for value in values)
            return pd.DataFrame(columns, dtype=None if has_types else object)
        if all(isinstance(value, Mapping) and "id" in value for value in values):
            records = values
    if not any("status" in record for record in records) and all("id" in record for record in records):
        # The API's JSON. A prompt's ``tune_id`` is not that of our rows.
        is_of_prompts = any("text" in record and "images" in record for record in records)
        return prompt_frame(records) if is_of_prompts else tune_frame(records)
    return pd.DataFrame(records, dtype=object)


def _as_objects(column: Any) -> Any:
    return pd.Series(column, dtype=object) if isinstance(column, Mapping) else column


def _of_ids(values: list[Any]) -> pd.DataFrame:
    ids = [_id(value) for value in values]
    return pd.DataFrame({"id": pd.array(ids, dtype="Int64")})


def _id(value: Any) -> Any:
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return pd.NA
    is_whole = isinstance(value, Decimal) and value % 1 == 0  # large numbers from databases
    number = parse_id(int(value) if is_whole else value)
    if number is None:
        raise _no_rows(value)
    return number


def _no_rows(value: object) -> TuneError:
    names = [kind.__name__ for kind in type(value).__mro__]
    hint = next((_OTHERS[name] for name in names if name in _OTHERS), HINT)
    what = f"expected the DataFrame that submit or wait returned, got {short(value)}"
    return TuneError(Problem("frame", what, hint))
