"""Values, durations and sizes as text for messages."""

from __future__ import annotations

import re

from astria_nb.utils.redaction import redact_text

_MAX_LENGTH = 80
_MAX_INPUT = 2000  # characters of a huge value that are searched for secrets
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_DOUBLED = re.compile(r"\\\\(?!\\*['\"])")
_NEW_LINE = re.compile(r"\s*[\r\n]\s*")


def quoted(text: str) -> str:
    r"""Return text in quotes for a message: as it was typed, with control characters escaped.

    Unlike `repr`, it does not double the backslashes of a path, except before a quote: the end of the text
    stays recognisable. Use `repr` for code that a reader copies.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> print(quoted(r"C:\a.jpg"), quoted("two\nlines"))
    'C:\a.jpg' 'two\nlines'
    """
    return _DOUBLED.sub(r"\\", repr(text))


def short(value: object) -> str:
    """Return a value for a message: one line, shortened, without API keys.

    Text is `quoted`; anything else is shown as its repr.

    Parameters
    ----------
    value : object

    Returns
    -------
    str

    Examples
    --------
    >>> short("man"), short(object()), short("sd_0123456789abcdef")
    ("'man'", '<object object>', "'sd_…'")
    """
    try:
        text = quoted(redact_text(value[:_MAX_INPUT])) if isinstance(value, str) else repr(value)[:_MAX_INPUT]
    except Exception:  # noqa: BLE001  a foreign __repr__ may raise anything
        text = f"<{type(value).__name__}>"
    if not isinstance(value, str):
        text = redact_text(_NEW_LINE.sub(" ", _ADDRESS.sub("", text)))
    return text if len(text) <= _MAX_LENGTH else f"{text[: _MAX_LENGTH - 1]}…"


def shortened(text: str, length: int) -> str:
    """Return a text, or its first characters and an ellipsis.

    Parameters
    ----------
    text : str
    length : int
        In characters.

    Returns
    -------
    str

    Examples
    --------
    >>> shortened("portrait", 8), shortened("portrait", 4)
    ('portrait', 'por…')
    """
    return text if len(text) <= length else f"{text[: length - 1]}…"


def format_duration(seconds: float) -> str:
    """Return a duration in its one or two largest units.

    Parameters
    ----------
    seconds : float

    Returns
    -------
    str

    Examples
    --------
    >>> format_duration(7.4), format_duration(100), format_duration(3700), format_duration(200_000)
    ('7 s', '1 min 40 s', '1 h 1 min', '2 d 7 h')
    """
    remainder = round(seconds)
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, remainder = divmod(remainder, size)
        if count or parts or unit == "s":
            parts.append(f"{count} {unit}" if count or not parts else "")
    return " ".join(filter(None, parts[:2]))


def format_size(size: float, total: float | None = None) -> str:
    """Return a number of bytes in kB or MB, alone or as a part of a total.

    Parameters
    ----------
    size : float
        Bytes.
    total : float, optional
        Bytes of the whole; this decides the unit.

    Returns
    -------
    str

    Examples
    --------
    >>> format_size(4_000), format_size(6_020_000), format_size(31_400_000)
    ('4 kB', '6.0 MB', '31 MB')
    >>> format_size(400_000, 31_400_000)
    '0.4 of 31 MB'
    """
    amounts = [size] if total is None else [size, total]
    if amounts[-1] < 999_500:
        # A file of a few bytes is not "0 kB".
        texts, unit = [f"{max(amount / 1e3, min(amount, 1)):.0f}" for amount in amounts], "kB"
    else:
        texts, unit = [f"{amount / 1e6:.{0 if amount >= 9.95e6 else 1}f}" for amount in amounts], "MB"
    return f"{' of '.join(texts)} {unit}"
