"""When a signed address expires, for the signatures of the large storage services."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import SplitResult, parse_qsl

# Parameters that accompany ``Expires`` in a signed address; a page may use that name for something else.
_SIGNED = re.compile(
    r"signature|awsaccesskeyid|googleaccessid|ossaccesskeyid|key-pair-id|sig|token|hmac|policy"
)
_HEXADECIMAL = {  # by the end of the host
    "discordapp.com": "ex",
    "discordapp.net": "ex",
    "fbcdn.net": "oe",
    "cdninstagram.com": "oe",
}


def expiry(parts: SplitResult) -> datetime | None:
    """Return when an address expires, in UTC; None if it does not say so.

    Examples
    --------
    >>> from urllib.parse import urlsplit
    >>> query = "X-Amz-Date=20200101T000000Z&X-Amz-Expires=60&X-Amz-Signature=0"
    >>> expiry(urlsplit(f"https://example.com/1.jpg?{query}"))
    datetime.datetime(2020, 1, 1, 0, 1, tzinfo=datetime.timezone.utc)
    """
    if not parts.query:  # as most addresses
        return None
    query = {name.lower(): value for name, value in parse_qsl(parts.query)}
    with suppress(ValueError, OverflowError, OSError):  # it means something else
        return _dated(query) or _at_second(query) or _azure(query) or _hexadecimal(parts, query)
    return None


def _dated(query: Mapping[str, str]) -> datetime | None:
    """Read ``X-Amz-Date`` and ``X-Amz-Expires``, and the same of other services."""
    for name, value in query.items():
        vendor = re.fullmatch(r"(x-\w+-)date", name)
        if vendor and (seconds := query.get(f"{vendor[1]}expires")):
            signed = datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            return signed + timedelta(seconds=int(seconds))
    return None


def _at_second(query: Mapping[str, str]) -> datetime | None:
    """Read ``Expires``, in seconds since 1970."""
    seconds = query.get("expires", "")
    is_signed = any(_SIGNED.fullmatch(name) for name in query)
    is_time = is_signed and re.fullmatch(r"\d{9,11}", seconds)
    return datetime.fromtimestamp(int(seconds), UTC) if is_time else None


def _azure(query: Mapping[str, str]) -> datetime | None:
    if "se" not in query or "sig" not in query:
        return None
    end = datetime.fromisoformat(query["se"])
    return end if end.tzinfo else end.replace(tzinfo=UTC)


def _hexadecimal(parts: SplitResult, query: Mapping[str, str]) -> datetime | None:
    for domain, name in _HEXADECIMAL.items():
        if name in query and (parts.hostname or "").endswith(domain):
            return datetime.fromtimestamp(int(query[name], 16), UTC)
    return None
