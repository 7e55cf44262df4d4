"""Rows in the forms in which they come back: from files, databases, other libraries, and pandas itself"""

import io
import json
import pickle
import sqlite3
import tempfile
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from packaging.version import Version

import astria_nb as anb

Form = Callable[[pd.DataFrame], Any]


def _csv(frame: pd.DataFrame, *, index: bool = False, **options: Any) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(frame.to_csv(index=index)), **options)


def _json(frame: pd.DataFrame, orient: str, **options: Any) -> pd.DataFrame:
    text = frame.reset_index(drop=True).to_json(orient=orient, date_format="iso", date_unit="us")
    return pd.read_json(io.StringIO(text), orient=orient, **options)


def _epoch(frame: pd.DataFrame) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas 3 announces another default
        text = frame.to_json(orient="records", lines=True, date_format="epoch", date_unit="ms")
        return pd.read_json(io.StringIO(text), lines=True, convert_dates=False)


def _parquet(frame: pd.DataFrame, **options: Any) -> pd.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        frame.to_parquet(Path(folder) / "rows.parquet")
        return pd.read_parquet(Path(folder) / "rows.parquet", **options)


def _parquet_table(frame: pd.DataFrame) -> Any:
    """Read rows that pandas wrote; before pyarrow 19, pandas itself cannot."""
    if Version(pa.__version__) >= Version("19"):
        return _parquet(frame, dtype_backend="pyarrow")
    with tempfile.TemporaryDirectory() as folder:
        frame.to_parquet(Path(folder) / "rows.parquet")
        return pq.read_table(Path(folder) / "rows.parquet")


def _sql(frame: pd.DataFrame) -> pd.DataFrame:
    with closing(sqlite3.connect(":memory:")) as database:
        anb.rows.flat(frame).to_sql("tunes", database, index=False)
        return pd.read_sql("SELECT * FROM tunes", database)


def _naive(frame: pd.DataFrame) -> pd.DataFrame:
    """Times without a zone, as a spreadsheet and many databases keep them, as text."""
    times = frame.select_dtypes("datetimetz").columns
    return frame.assign(**{name: frame[name].dt.tz_localize(None).astype(str) for name in times})


class _Capsule:
    """What polars and DuckDB hand over: only Arrow's protocol, and views of text."""

    def __init__(self, frame: pd.DataFrame) -> None:
        table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
        # Arrow 18 crashes when it hands over a view of nothing but short texts.
        view = pa.string_view() if Version(pa.__version__) >= Version("19") else pa.string()
        kinds = [view if pa.types.is_large_string(kind) else kind for kind in table.schema.types]
        self._table = table.cast(pa.schema(list(zip(table.column_names, kinds, strict=True))))

    def __arrow_c_stream__(self, schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(schema)


WHOLE: dict[str, Form] = {
    "as it is": lambda frame: frame,
    "csv": _csv,
    "csv with its index": lambda frame: _csv(frame, index=True),
    "csv as text": lambda frame: _csv(frame, dtype=str),
    "csv, nullable": lambda frame: _csv(frame, dtype_backend="numpy_nullable"),
    "csv, Arrow": lambda frame: _csv(frame, dtype_backend="pyarrow"),
    "flat csv": lambda frame: _csv(anb.rows.flat(frame)),
    "flat csv, times parsed": lambda frame: _csv(anb.rows.flat(frame), parse_dates=["created_at", "eta"]),
    **{
        f"json {orient}": (lambda frame, orient=orient: _json(frame, orient))
        for orient in ("records", "split", "index", "columns", "table")
    },
    "json, Arrow": lambda frame: _json(frame, "records", dtype_backend="pyarrow"),
    "json with numbers for times": _epoch,
    "json, not read by pandas": lambda frame: json.loads(frame.to_json(orient="records", date_format="iso")),
    "flat json": lambda frame: _json(anb.rows.flat(frame), "records"),
    "pickle": lambda frame: pickle.loads(pickle.dumps(frame)),
    "parquet": lambda frame: _parquet_table(frame),
    "flat parquet": lambda frame: _parquet(anb.rows.flat(frame)),
    "flat parquet, nullable": lambda frame: _parquet(anb.rows.flat(frame), dtype_backend="numpy_nullable"),
    "sqlite": _sql,
    "table of Arrow": lambda frame: pa.Table.from_pandas(frame),
    "polars and DuckDB": _Capsule,
    "another index": lambda frame: frame.set_axis([9, 4, 7][: len(frame)]),
    "an index with duplicates": lambda frame: frame.set_axis(["a"] * len(frame)),
    "ids as the index": lambda frame: frame.set_index("id"),
    "two levels": lambda frame: pd.concat({"first": frame}, names=["run", None]),
    "a category": lambda frame: frame.astype({"title": "category", "status": "category", "id": "category"}),
    "objects": lambda frame: frame.astype(object),
    "objects and None": lambda frame: frame.astype(object).where(frame.notna(), None),
    "float ids": lambda frame: frame.astype({"id": float, "pack": float}),
    "times without a zone": _naive,
    "times in another zone": lambda frame: frame.assign(
        created_at=frame["created_at"].dt.tz_convert("Asia/Kolkata")
    ),
    "a merge": lambda frame: pd.DataFrame({"title": frame["title"]}).merge(frame, on="title", how="left"),
    "a transposed frame": lambda frame: frame.T.T,
    "records": lambda frame: frame.to_dict("records"),
    "columns": lambda frame: frame.to_dict("list"),
    "columns by index": lambda frame: frame.to_dict(),
    "columns of Series": lambda frame: frame.to_dict("series"),
    "records by index": lambda frame: frame.to_dict("index"),
    "tuples": lambda frame: list(frame.itertuples(index=False)),
    "a list of rows": lambda frame: [frame.iloc[[number]] for number in range(len(frame))],
    "a list of Series": lambda frame: [row for _, row in frame.iterrows()],
    "the columns of an older version": lambda frame: frame.drop(columns=["service", "account"]),
}
"""All of the rows, with all that is in them."""
IDS: dict[str, Form] = {
    "ids": lambda frame: frame["id"],
    "a column of ids": lambda frame: frame[["id"]],
    "a list of ids": lambda frame: frame["id"].tolist(),
    "an array of ids": lambda frame: frame["id"].to_numpy(),
    "ids as text": lambda frame: [None if pd.isna(number) else str(number) for number in frame["id"]],
    "ids by title": lambda frame: frame.set_index("title")["id"],
}
"""Of the rows, only the ids."""
ONE: dict[str, Form] = {
    "a row": lambda frame: frame.iloc[0],
    "a squeezed row": lambda frame: frame.iloc[[0]].squeeze(),
    "a record": lambda frame: frame.iloc[0].to_dict(),
    "a row of objects": lambda frame: frame.astype(object).loc[0],
}
"""The first row, with all that is in it."""
