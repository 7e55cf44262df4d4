"""A frame as a Parquet or CSV file."""

from __future__ import annotations

import csv
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from astria_nb.errors import LogError, Problem
from astria_nb.utils.formatting import short
from astria_nb.utils.redaction import redact_name

# Characters that start a formula in a spreadsheet, including their full-width forms.
_FORMULA = ("=", "+", "-", "@", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_IGNORED = " \t\r\n\v\f\0\xa0\u200b\ufeff\"'"  # some spreadsheets skip these before a formula


def write(frame: Callable[[], pd.DataFrame], path: Path) -> Path:
    """Write a frame to a ``.parquet`` or ``.csv`` file, completely or not at all.

    Parameters
    ----------
    frame : callable
        Returns the frame; called only if the suffix is one of the two.
    path : Path

    Raises
    ------
    LogError
        The suffix is another one, or the file cannot be written.
    """
    path = path.expanduser()
    writers = {".parquet": _write_parquet, ".csv": _write_csv}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        what = f"is not exported as {short(path.suffix or path.name)}"
        raise LogError(Problem("log", what, "end the file's name in .parquet or .csv"))
    rows = frame()
    try:
        # In the same folder, so that it replaces the old file atomically.
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            os.close(descriptor)
            writer(rows, Path(name))
            with Path(name).open("rb+") as file:
                os.fsync(file.fileno())
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
        return path
    except OSError as error:
        reason = error.strerror or str(error)
    what = f"cannot be exported to {redact_name(str(path))!r} ({reason})"
    raise LogError(Problem("log", what, "choose another place, or free some space there"))


def defused(text: str) -> str:
    """Return a text that no spreadsheet evaluates as a formula.

    Examples
    --------
    >>> defused("=HYPERLINK(1)"), defused("blue eyes")
    ("'=HYPERLINK(1)", 'blue eyes')
    """
    return (
        f"'{text}" if text[:1] in ("\t", "\r", "\n") or text.lstrip(_IGNORED).startswith(_FORMULA) else text
    )


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    metadata = json.loads(table.schema.metadata[b"pandas"])
    for column in metadata["columns"]:
        # pandas writes a type name here that it cannot read back (pandas#53011).
        if column["numpy_type"].startswith("list<"):
            column["numpy_type"] = "object"
    table = table.replace_schema_metadata({**table.schema.metadata, b"pandas": json.dumps(metadata).encode()})
    pq.write_table(table, path, compression="zstd")


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    safe = pd.DataFrame(
        {
            defused(str(name)): column.map(_cell, na_action="ignore").astype(object)
            if _is_text(column)
            else column
            for name, column in frame.items()
        }
    )
    # Quoted text: a spreadsheet with another separator must not find a formula after it.
    safe.to_csv(path, index=False, quoting=csv.QUOTE_NONNUMERIC, encoding="utf-8", lineterminator="\n")


def _is_text(column: pd.Series[Any]) -> bool:
    return isinstance(column.dtype, pd.StringDtype | pd.ArrowDtype) or column.dtype == object


def _cell(value: Any) -> str:
    if not isinstance(value, str):
        plain = np.asarray(value, dtype=object).tolist()  # json cannot write NumPy integers
        return json.dumps(_defuse_json(plain), ensure_ascii=False)
    if value.lstrip().startswith(("{", "[")):
        try:
            return json.dumps(_defuse_json(json.loads(value)), ensure_ascii=False)
        except (ValueError, RecursionError):
            pass
    return defused(value)


def _defuse_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {defused(str(key)): _defuse_json(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_defuse_json(child) for child in value]
    return defused(value) if isinstance(value, str) else value
