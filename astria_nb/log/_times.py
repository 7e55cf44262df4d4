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
    if not isinstance(value, datetime) or _is_missing(value):
        what = f"{short(value)} is not a datetime"
    elif value.utcoffset() is None:
        what = "has no time zone"
    else:
        return value
    raise LogError(Problem(field, what, "write it like datetime(2026, 1, 1, tzinfo=UTC)"))


def check_limit(field: str, value: object) -> datetime | None:
    """Return a time with a time zone, or None for no limit, as the latest time in an empty frame is.

    Raises
    ------
    LogError
        The value is something else.
    """
    return None if value is None or _is_missing(value) else check_time(field, value)


def _is_missing(value: object) -> bool:
    """Return whether a value is pandas' NaT or NA, without loading pandas."""
    return type(value).__name__ in ("NaTType", "NAType")
