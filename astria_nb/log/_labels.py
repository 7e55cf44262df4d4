"""A submission's labels: tags, a note, and whether it is hidden."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from astria_nb.errors import LogError, Problem, TuneError, printable
from astria_nb.log._checksums import DamagedError, check_row
from astria_nb.log._inserts import append_event, now
from astria_nb.log._queries import existing, parsing
from astria_nb.log._selects import ROW
from astria_nb.log._sql import SqlConnection
from astria_nb.log._statements import Update
from astria_nb.log._states import SETTLED, UNSETTLED, Labels
from astria_nb.rows import LABEL_SCHEMA
from astria_nb.utils.formatting import short
from astria_nb.utils.redaction import redact_name
from astria_nb.utils.typed_table import typed_table

_MAX_TAG, _MAX_NOTE = 100, 10_000  # characters
_WRITE = Update(("labels",))
_LABELLED = "SELECT id, labels FROM submission WHERE labels IS NOT NULL"
# In a file, the index contains both columns, so that a row which differs from it is detected.
_LABELLED_IN_FILE = _LABELLED.replace("WHERE", "INDEXED BY submission_with_labels WHERE")


def check_tags(tags: Sequence[object]) -> tuple[str, ...]:
    """Return tags as they are stored: without surrounding blanks, each once.

    Raises
    ------
    TuneError
        There are no tags, or one is not a short line of text, or holds a secret.
    """
    hint = 'give them as text: log.tag(row, "good likeness", "client A")'
    if not tags:
        raise TuneError(Problem("tags", "are missing", hint))
    for tag in tags:
        if not isinstance(tag, str) or not tag.strip():
            raise TuneError(Problem("tags", f"{short(tag)} is not a tag", hint))
        if len(tag.strip()) > _MAX_TAG or printable(tag.strip()) != tag.strip():
            what = f"{short(tag)} is not one line of at most {_MAX_TAG} characters"
            raise TuneError(Problem("tags", what, "shorten it, or use log.note for a longer text"))
        _check_secret("tags", tag)
    # Two ways to write "é" look the same.
    return tuple(dict.fromkeys(unicodedata.normalize("NFC", str(tag)).strip() for tag in tags))


def check_note(text: object) -> str | None:
    """Return a note as it is stored; None for an empty one.

    Raises
    ------
    TuneError
        The note is not text, is too long, or holds a secret.
    """
    if text is pd.NA or (isinstance(text, float) and np.isnan(text)):
        text = None  # as in a frame without a note
    if text is not None and not isinstance(text, str):
        raise TuneError(Problem("note", f"{short(text)} is not text", "give text, or '' for no note"))
    # A lone surrogate cannot be stored as text.
    note = (text or "").strip().encode("utf-8", "replace").decode()
    if len(note) > _MAX_NOTE:
        what = f"has {len(note):,} characters, and a note has at most {_MAX_NOTE:,}"
        raise TuneError(Problem("note", what, "shorten it"))
    _check_secret("note", note)
    return note or None


def of(connection: SqlConnection, id: int) -> Labels:  # noqa: A002  the column's own name
    """Return the labels of a submission."""
    (text,) = connection.execute("SELECT labels FROM submission WHERE id = :id", {"id": id}).fetchone()
    with parsing(f"submission {id}"):
        return Labels.from_json(text)


def change_all(
    connection: SqlConnection,
    session_id: str,
    numbers: Sequence[int],
    kind: str,
    change: Callable[[Labels], Labels],
    reply: Mapping[str, Any] | None,
) -> None:
    """Change the labels of submissions, with an event for each one that changes.

    Parameters
    ----------
    connection : SqlConnection
    session_id : str
    numbers : sequence of int
    kind : str
    change : callable
    reply : mapping or None
        The added or removed labels, for the events.

    Raises
    ------
    LogError
        A submission to hide may exist on the service.
    """
    at = now()
    for number in dict.fromkeys(numbers):
        current, before = existing(connection, number), of(connection, number)
        if (after := change(before)) == before:
            continue
        if after.hidden and not before.hidden and current.state not in SETTLED:
            what = f"submission {number} is {current.state}, and may have been paid for"
            hint = "call recover first" if current.state in UNSETTLED else "call resolve first"
            raise LogError(Problem("log", what, hint))
        _WRITE.run(connection, {"id": number, "labels": after.json})
        append_event(connection, kind, session_id, at, current, reply=reply)


def read(
    connection: SqlConnection, remembered: dict[int, tuple[str, Labels]] | None = None
) -> dict[int, Labels]:
    """Return the labels of each labelled submission, by its id.

    Parameters
    ----------
    connection : SqlConnection
    remembered : dict of int to (str, Labels), optional
        Labels that were read and checked before, with their text; updated by this call.

    Raises
    ------
    DamagedError
        A submission's labels are not as written.
    """
    before, labels = remembered or {}, dict[int, tuple[str, Labels]]()
    is_file = isinstance(connection, sqlite3.Connection)
    for number, text in connection.execute(_LABELLED_IN_FILE if is_file else _LABELLED).fetchall():
        labels[number] = before.get(number, ("", Labels()))
        if labels[number][0] == text:
            continue
        if is_file:
            _check(connection, number, text)
        with parsing(f"submission {number}"):
            labels[number] = text, Labels.from_json(text)
    if remembered is not None:
        remembered.clear()
        remembered.update(labels)
    return {number: own for number, (_, own) in labels.items()}


def _check(connection: SqlConnection, number: int, text: str) -> None:
    row = ROW.first(connection, of_id=number)
    if row is None or row["labels"] != text:
        raise DamagedError(f"the labels of submission {number} do not match what was written")
    check_row(row)


def columns(ids: np.ndarray[Any, np.dtype[np.int64]], labels: Mapping[int, Labels]) -> pa.Table:
    """Return the columns of `LABEL_SCHEMA` for submissions.

    Parameters
    ----------
    ids : numpy.ndarray
    labels : mapping of int to Labels
        Labels of the labelled submissions.
    """
    distinct = typed_table(
        [{"tags": own.tags, "note": own.note, "hidden": own.hidden} for own in (Labels(), *labels.values())],
        LABEL_SCHEMA,
    )
    positions = pd.Index([*labels]).get_indexer(pd.Index(ids)) + 1
    return distinct.take(pa.array(positions))


def _check_secret(field: str, text: str) -> None:
    if redact_name(text) != text:  # a link is not a secret, unless it is signed
        raise TuneError(Problem(field, "holds what looks like a key or a password", "leave that out"))
