"""Checksums of submissions and of stored JSON, so that damage is reported and never shown as data.

The rows of events and sessions have no checksum, only the replies that they refer to.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from typing import Any

COLUMNS = (
    "id", "service", "account", "title", "state", "version", "attempt", "tune_id", "newest_known_id",
    "request", "fingerprint", "content_fingerprint", "image_sha256", "record", "problem", "planned_at",
    "changed_at", "session", "uptime", "labels",
)  # fmt: skip
"""The columns of a submission that its checksum covers."""
# Larger than any CRC: SQLite stores NULL for a small number that lost a single bit of its type.
_MARK = 1 << 40


class DamagedError(Exception):
    """Stored data differs from what was written; `log_errors` turns this into a `LogError`."""


def of_row(*values: Any) -> int:
    """Return the checksum of a submission's `COLUMNS`; SQLite calls this as ``row_checksum``."""
    plain = [f"\0{value.hex()}" if isinstance(value, bytes) else value for value in values]
    if plain[-1] is None:  # without labels it is the same as in format 4, which has no labels
        del plain[-1]
    return zlib.crc32(json.dumps(plain).encode()) | _MARK


def of_segment(id: int, rows: int, arrow: bytes) -> int:  # noqa: A002  the column's own name
    """Return the checksum of a segment."""
    return zlib.crc32(arrow, zlib.crc32(f"{id} {rows} ".encode())) | _MARK


def check_row(row: Mapping[str, Any]) -> None:
    """Check a submission with all its columns; a row without a checksum was not written by this package.

    Raises
    ------
    DamagedError
        The submission is not as written.
    """
    checksum = row["checksum"]
    if checksum is not None and checksum != of_row(*(row[name] for name in COLUMNS)):
        raise DamagedError(f"submission {row['id']} does not match what was written")


def check_body(sha256: Any, text: Any, owner: str) -> None:
    """Check the JSON that a row refers to.

    Parameters
    ----------
    sha256 : bytes or None
        The reference; None if there is none.
    text : str or None
        The stored text.
    owner : str
        The owner of the JSON, such as ``the request of submission 3``.

    Raises
    ------
    DamagedError
        The JSON is missing, or not as written.
    """
    if sha256 is None:
        return
    if not isinstance(text, str):
        raise DamagedError(f"{owner} is missing")
    if hashlib.sha256(text.encode()).digest() != sha256:
        raise DamagedError(f"{owner} does not match what was written")
