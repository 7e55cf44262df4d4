"""A frame as a Parquet or CSV file."""

from __future__ import annotations

import csv
import json
import os
import re
import stat
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from astria_nb.errors import LogError, Problem
from astria_nb.utils.formatting import quoted, short
from astria_nb.utils.redaction import redact_name

# Characters that start a formula in a spreadsheet, including their full-width forms.
_FORMULA = ("=", "+", "-", "@", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_IGNORED = " \t\r\n\v\f\0\xa0\u200b\ufeff\"'"  # some spreadsheets skip these before a formula
_JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')


def write(frame: Callable[[], pd.DataFrame], path: Path) -> Path:
    """Write a frame to a ``.parquet`` or ``.csv`` file, completely or not at all.

    Parameters
    ----------
    frame : callable
        Returns the frame; called only if the suffix is one of the two.
    path : Path
        A link stays a link, and the file that it leads to is written. An existing file keeps its permissions.

    Raises
    ------
    LogError
        The suffix is not supported, or the file cannot be written.
    """
    path = path.expanduser()
    writers = {".parquet": _write_parquet, ".csv": _write_csv}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        what = f"cannot be exported as {short(path.suffix or path.name)}"
        raise LogError(Problem("log", what, "end the file's name in .parquet or .csv"))
    rows = frame()
    try:
        target = Path(os.path.realpath(path))  # a loop of links is left unchanged
        # In the same folder, so that it replaces the old file atomically.
        unfinished = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        try:
            os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
            writer(rows, unfinished)
            with unfinished.open("rb+") as file:
                os.fsync(file.fileno())
            if target.exists():
                unfinished.chmod(stat.S_IMODE(target.stat().st_mode))
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
        return path
    except OSError as error:
        reason = error.strerror or str(error)
    what = f"cannot be exported to {quoted(redact_name(str(path)))} ({reason})"
    raise LogError(Problem("log", what, "choose another place, or free some space there"))


def defused(text: str) -> str:
    """Return a text that spreadsheets do not evaluate as a formula.

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
    with path.open("wb") as file:  # Arrow cannot open files whose names are not UTF-8
        pq.write_table(table, file, compression="zstd")


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    safe = pd.DataFrame(
        {
            defused(str(name)): column.map(_cell, na_action="ignore").astype(object)
            if _is_text(column)
            else column
            for name, column in frame.items()
        }
    )
    # Quoted: a spreadsheet with another separator must not find a formula after it.
    safe.to_csv(path, index=False, quoting=csv.QUOTE_NONNUMERIC, encoding="utf-8", lineterminator="\n")


def _is_text(column: pd.Series[Any]) -> bool:
    return isinstance(column.dtype, pd.StringDtype | pd.ArrowDtype) or column.dtype == object


def _cell(value: Any) -> str:
    if not isinstance(value, str):
        plain = np.asarray(value, dtype=object).tolist()  # json cannot write NumPy integers
        return _defused_json(json.dumps(plain, ensure_ascii=False))
    return defused(_defused_json(value) if _is_json(value) else value)


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _defused_json(text: str) -> str:
    """Return JSON in which no text is a formula; everything else stays as written."""
    return _JSON_TEXT.sub(_defused_quoted, text)


def _defused_quoted(match: re.Match[str]) -> str:
    text = json.loads(match[0])
    return match[0] if defused(text) == text else f"\"'{match[0][1:]}"
