"""Checksums of submissions and of stored JSON, so that damage is told and never shown as data.

The rows of events and sessions have none, only the replies that they refer to.
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
    """What is stored is not what was written; `log_errors` makes a `LogError` of it."""


def of_row(*values: Any) -> int:
    """Return the checksum of a submission's `COLUMNS`; SQLite calls this as ``row_checksum``."""
    plain = [f"\0{value.hex()}" if isinstance(value, bytes) else value for value in values]
    if plain[-1] is None:  # without labels it is that of format 4, which has none
        del plain[-1]
    return zlib.crc32(json.dumps(plain).encode()) | _MARK


def of_segment(id: int, rows: int, arrow: bytes) -> int:  # noqa: A002  the column's own name
    """Return the checksum of a segment."""
    return zlib.crc32(arrow, zlib.crc32(f"{id} {rows} ".encode())) | _MARK


def check_row(row: Mapping[str, Any]) -> None:
    """Check a submission with all its columns; one without a checksum was not written by this package.

    Raises
    ------
    DamagedError
        It is not what was written.
    """
    checksum = row["checksum"]
    if checksum is not None and checksum != of_row(*(row[name] for name in COLUMNS)):
        raise DamagedError(f"submission {row['id']} is not what was written")


def check_body(sha256: Any, text: Any, owner: str) -> None:
    """Check the JSON that a row refers to.

    Parameters
    ----------
    sha256 : bytes or None
        The reference; None refers to nothing.
    text : str or None
        What was found there.
    owner : str
        What it belongs to, such as ``the request of submission 3``.

    Raises
    ------
    DamagedError
        It is missing, or not what was written.
    """
    if sha256 is None:
        return
    if not isinstance(text, str):
        raise DamagedError(f"{owner} is missing")
    if hashlib.sha256(text.encode()).digest() != sha256:
        raise DamagedError(f"{owner} is not what was written")
