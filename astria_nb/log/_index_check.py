"""Whether the indexes find every submission: checked when a process first opens a log.

A submission that an index does not find would be sent, and paid for, again. SQLite detects damage of its own
structure, but not an index entry that differs from its row.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from astria_nb.log._checksums import DamagedError
from astria_nb.log._states import RELEASED, UNSETTLED

_STATES = ", ".join(f"'{state}'" for state in UNSETTLED)
_CLAIMS = "state NOT IN ({})".format(", ".join(f"'{state}'" for state in RELEASED))
_FOUND = "EXISTS (SELECT 1 FROM submission AS found INDEXED BY {index} WHERE found.id = row.id AND {same})"
_BY_TITLE = _FOUND.format(
    index="submission_of_title", same="found.service = row.service AND found.title = row.title"
)
# SQLite may use either of these two.
_BY_CLAIM = _FOUND.format(
    index="claimed_by_account",
    same=f"found.service = row.service AND found.title = row.title AND found.{_CLAIMS}",
)
_BY_STATE = _FOUND.format(
    index="submission_unsettled", same=f"found.service = row.service AND found.state IN ({_STATES})"
)
_BY_CONTENT = _FOUND.format(
    index="submission_of_content", same="found.content_fingerprint = row.content_fingerprint"
)
_BY_LABELS = _FOUND.format(index="submission_with_labels", same="found.labels = row.labels")
_LOST = f"""
    SELECT row.id FROM submission AS row NOT INDEXED
    WHERE typeof(row.state) <> 'text'
        OR row.title IS NOT NULL AND NOT {_BY_TITLE}
        OR row.title IS NOT NULL AND row.{_CLAIMS} AND NOT {_BY_CLAIM}
        OR row.state IN ({_STATES}) AND NOT {_BY_STATE}
        OR row.title IS NULL AND row.content_fingerprint IS NOT NULL AND NOT {_BY_CONTENT}
        OR row.labels IS NOT NULL AND NOT {_BY_LABELS}
    LIMIT 1
"""  # noqa: S608  names of indexes
# The state of each file when this process closed it: it is checked again only after a change.
_left: dict[tuple[int, int], tuple[int, int]] = {}


def check_indexes(connection: sqlite3.Connection, path: Path) -> None:
    """Look up each submission in the indexes that prevent sending it again.

    Parameters
    ----------
    connection : sqlite3.Connection
    path : Path
        The log's file. It is not checked if it is unchanged since this process closed it.

    Raises
    ------
    DamagedError
        An index does not find a submission.
    """
    if is_unchanged_since_check(path):
        return
    file = path.stat()
    lost = connection.execute(_LOST).fetchone()
    if lost is not None:
        raise DamagedError(f"an index does not find submission {lost[0]}")
    _left[file.st_dev, file.st_ino] = _state(file)


def is_unchanged_since_check(path: Path) -> bool:
    """Return whether a file is unchanged since it was checked; otherwise forget that it was checked."""
    file = path.stat()
    if _left.get((file.st_dev, file.st_ino)) == _state(file):
        return True
    _left.pop((file.st_dev, file.st_ino), None)  # for a deleted file with the same number
    return False


def leave(path: Path) -> None:
    """Record the state in which this process closes a file that it has checked."""
    with suppress(OSError):
        file = path.stat()
        if (key := (file.st_dev, file.st_ino)) in _left:
            _left[key] = _state(file)


def _state(file: os.stat_result) -> tuple[int, int]:
    return file.st_size, file.st_mtime_ns
