"""Comparison of titles: a service may store, show and filter them in its own way."""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape
from unicodedata import normalize

from astria_nb.log import RELEASED, Log
from astria_nb.tune.plain import stripped

KEPT_LENGTH = 255
"""The characters of a title that a service may keep, the usual limit of a database column."""
_MAX_FILTER = 200  # characters; proxies refuse addresses of several thousand bytes
_AMBIGUOUS = re.compile(r"[\\&<>\"'\x00-\x1f\x7f]+")


def is_same_title(a: object, b: object) -> bool:
    """Return whether two titles are the same, ignoring Unicode normal forms, blanks and HTML escapes.

    Examples
    --------
    >>> is_same_title("Zo\u00eb & cat", "Zoe\u0308 &amp;  cat"), is_same_title("cat", "Cat")
    (True, False)
    >>> is_same_title(None, "None")
    False
    """
    return a is not None and b is not None and standard_title(str(a)) == standard_title(str(b))


def is_cut(stored: object, title: str | None) -> bool:
    """Return whether a stored title may be the beginning of a longer one, of which the service kept no more.

    Examples
    --------
    >>> is_cut("L" * 255, "L" * 300), is_cut("L" * 254, "L" * 300), is_cut("L" * 255, "L" * 255)
    (True, False, False)
    """
    if not isinstance(stored, str) or title is None or len(title) <= KEPT_LENGTH:
        return False
    return len(stored) == KEPT_LENGTH and title.startswith(stored)


def is_of_another(log: Log, stored: object, title: str) -> bool:
    """Return whether a stored title that was cut may be that of another title which the log has."""
    if not is_cut(stored, title) or not log.exists():
        return False
    frame = log.frame(hidden=True)
    titles = frame["title"][~frame["state"].isin(RELEASED)].dropna()
    return any(other != title and other.startswith(str(stored)) for other in titles)


def filter_of(title: str) -> str:
    r"""Return what to filter a list of tunes by, to find a title in it; a part of a title matches.

    Most of the title, without characters that a service may store or read differently: accented letters have
    two forms, and a database may take a backslash for an escape.

    Examples
    --------
    >>> filter_of("50% cats"), filter_of(r"a\cats"), filter_of("my No\u00ebl")
    ('50% cats', 'cats', 'my No')
    """
    title = normalize("NFC", title[:KEPT_LENGTH])
    plain = "".join(letter if normalize("NFD", letter) == letter else "\0" for letter in title)
    longest = max((part.strip() for part in _AMBIGUOUS.split(plain)), key=len)
    # A short part would match many titles.
    return (longest if 3 * len(longest) >= len(title) else title)[:_MAX_FILTER].strip()


@lru_cache(1024)  # most of an account's newest tunes are the same at the next submission
def standard_title(title: str) -> str:
    """Return a title without ignored differences; see `is_same_title`."""
    return " ".join(normalize("NFC", stripped(unescape(title))).split())
