"""A value as it stands in a message: short, on one line, and without a key."""

from __future__ import annotations

import re

from astria_nb.utils import redaction

_TOO_LONG_TO_QUOTE = 80
_LOOKED_AT = 2000  # characters: a huge value is not searched to its end
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_NEW_LINE = re.compile(r"\s*[\r\n]\s*")


def short(value: object) -> str:
    """Quote a value for a message, cut where it is long.

    Examples
    --------
    >>> short("man"), short(object()), short("sd_0123456789abcdef")
    ("'man'", '<object object>', "'sd_…'")
    """
    try:
        shown = repr(redaction.text(value[:_LOOKED_AT]) if isinstance(value, str) else value)[:_LOOKED_AT]
    except Exception:  # noqa: BLE001  a stranger's repr may raise anything; the message still has to come
        shown = f"<{type(value).__name__}>"
    if not isinstance(value, str):
        shown = redaction.text(_NEW_LINE.sub(" ", _ADDRESS.sub("", shown)))
    return shown if len(shown) <= _TOO_LONG_TO_QUOTE else f"{shown[: _TOO_LONG_TO_QUOTE - 1]}…"


def duration(seconds: float) -> str:
    """Say how long something takes, in two units at most.

    Examples
    --------
    >>> duration(7.4), duration(100), duration(3700), duration(200_000)
    ('7 s', '1 min 40 s', '1 h 1 min', '2 d 7 h')
    """
    left = round(seconds)
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or parts or unit == "s":
            parts.append(f"{count} {unit}" if count or not parts else "")
    return " ".join(filter(None, parts[:2]))
