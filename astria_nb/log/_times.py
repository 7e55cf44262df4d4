"""Times that are passed to the log."""

from __future__ import annotations

from datetime import datetime

from astria_nb.errors import LogError, Problem
from astria_nb.utils.formatting import short


def check_time(field: str, value: object) -> datetime:
    """Return a time with a time zone.

    Raises
    ------
    LogError
        The value is something else.
    """
    if isinstance(value, datetime) and value.utcoffset() is not None:
        return value
    what = "has no time zone" if isinstance(value, datetime) else f"{short(value)} is not a datetime"
    raise LogError(Problem(field, what, "write it like datetime(2026, 1, 1, tzinfo=UTC)"))
