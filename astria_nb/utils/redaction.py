"""Removal of API keys, signatures, passwords and callback values from everything written to disk."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Set
from functools import partial
from typing import Any
from urllib.parse import quote, unquote

from astria_nb.utils.signatures import (
    Pair,
    named_secrets_in,
    pair_of,
    secrets_in,
    without_signed_segment,
)

PLACEHOLDER = "…"
_SUSPECT = re.compile(r"sd_|[?&;#@]|/(?:hdn|bcdn_)")  # most texts contain none of these, and need no search
_KEY = re.compile(r"sd_[A-Za-z0-9_-]{6,}")
# Shorter names, such as sd_images, are common for files and titles.
_LONG_KEY = re.compile(r"sd_[A-Za-z0-9_-]{16,}")
_NAMED_USER = re.compile(r"(?<=://)[^/?#\s\"'<>]*@")
# Also of an address whose scheme was left out.
_USER = re.compile(r"(?:(?<=://)|(?<=\A//)|(?<=[\s\"'(]//))[^/?#\s\"'<>]*@")
# A semicolon may separate two pairs; it belongs to the value unless a pair follows.
_PAIR = re.compile(
    r"(?P<start>[?&;#](?:amp;)?)(?P<name>[^=&;#?\s\"<>]*)="
    r"(?P<value>[^&;#\s\"<>]*(?:;(?![^=&;#\s\"<>]*=)[^&;#\s\"<>]*)*)"
)
# A word without "=" in a query string may be a token.
_ANY_PAIR = re.compile(
    r"(?P<start>[?&;#](?:amp;)?)(?P<name>[^=&;#?\s\"<>]*=)?(?P<value>[^&;#\s\"<>]*)(?=[&;#\s\"<>]|$)"
)
_EMBEDDED_URL = re.compile(r"://[^\s\"<>]+")
_WHOLE_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S*")
_CREDENTIAL_FIELD = re.compile(
    r"(.*-)?authorization|cookie|set-cookie|x-api-key|api_?key|.*password.*|.*secret.*|access_?token",
    re.IGNORECASE,
)
_CALLBACKS = ("callback", "prompts_callback")
# What lower-case ASCII JSON contains if a text or a field in it is redacted. The last four are letters that
# count as "s", "k" and "i".
_TELLTALES = (
    *("sd_", "?", "&", ";", "#", "@", "/hdn", "/bcdn_"),
    *("authorization", "cookie", "api_key", "apikey", "x-api-key", "password", "secret", "access_token"),
    *("accesstoken", r"\u017f", r"\u212a", r"\u0130", r"\u0131"),
)


def redact_text(value: str, *, is_callback: bool = False) -> str:
    """Return a text without API keys and without the secrets of the URLs in it.

    Parameters
    ----------
    value : str
        Any text: a URL, or prose that contains URLs.
    is_callback : bool
        Remove every value in the query strings, whatever its name: only the receiver knows their meaning.

    Returns
    -------
    str

    Examples
    --------
    >>> redact_text("sd_abcdefgh was refused")
    'sd_… was refused'
    >>> redact_text("https://me:pw@x.org/a.jpg?size=9&X-Amz-Signature=00ff")
    'https://…@x.org/a.jpg?size=9&X-Amz-Signature=…'
    >>> redact_text("https://x.org/done?run=7", is_callback=True)
    'https://x.org/done?run=…'
    """
    if _SUSPECT.search(value) is None:
        return value
    if is_callback:
        value = without_signed_segment(_KEY.sub(f"sd_{PLACEHOLDER}", value), PLACEHOLDER)
        return _ANY_PAIR.sub(_without_any_value, _USER.sub(f"{PLACEHOLDER}@", value))
    return _redact_text(value, _without_credentials)


def redact_name(value: str) -> str:
    """Return a name or a path without credentials, and without strings as long as an API key.

    Parameters
    ----------
    value : str

    Returns
    -------
    str

    Examples
    --------
    >>> redact_name("sd_images/1.jpg"), redact_name("sd_0123456789abcdef01234567.jpg")
    ('sd_images/1.jpg', 'sd_….jpg')
    """
    return value if _SUSPECT.search(value) is None else _without_credentials(redact_long_keys(value))


def redact_title(value: str) -> str:
    """Return a title without credentials as the oldest records know them, and without long API keys.

    A title that was accepted stays one: under another title, its tune would be paid for again.

    Parameters
    ----------
    value : str

    Returns
    -------
    str

    Examples
    --------
    >>> redact_title("https://x.org/1.jpg?rlkey=a"), redact_title("https://x.org/1.jpg?token=a")
    ('https://x.org/1.jpg?rlkey=a', 'https://x.org/1.jpg?token=…')
    """
    return value if _SUSPECT.search(value) is None else _without_named_credentials(redact_long_keys(value))


def redact_long_keys(value: str) -> str:
    """Return a text without strings as long as an API key; everything else is unchanged.

    Parameters
    ----------
    value : str

    Returns
    -------
    str
    """
    return _LONG_KEY.sub(f"sd_{PLACEHOLDER}", value)


def redact_json(value: Any, *, field: str = "", is_callback: bool = False) -> Any:
    """Return JSON with every text in it redacted, at any depth, including the keys of objects.

    Parameters
    ----------
    value : JSON
        Dictionaries, lists, text, numbers, booleans, None.
    field : str
        The key of this value in its parent object.
    is_callback : bool
        Whether the value is below a ``callback`` field.

    Returns
    -------
    JSON

    Examples
    --------
    >>> redact_json({"callback": "https://x.org/?a=1", "headers": {"Authorization": "Bearer abc"}})
    {'callback': 'https://x.org/?a=…', 'headers': {'Authorization': '…'}}
    """
    is_callback = is_callback or field in _CALLBACKS
    if isinstance(value, Mapping):
        return {
            redact_text(str(key)): redact_json(child, field=str(key), is_callback=is_callback)
            for key, child in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact_json(child, field=field, is_callback=is_callback) for child in value]
    if isinstance(value, str):
        if _CREDENTIAL_FIELD.fullmatch(field):
            return PLACEHOLDER
        if field == "title":
            return redact_title(value)
        return redact_text(value, is_callback=is_callback)
    return value if value is None or isinstance(value, bool | int | float) else redact_text(str(value))


def is_harmless(text: str) -> bool:
    """Return whether JSON contains nothing to redact, without checking each value.

    Parameters
    ----------
    text : str
        JSON in ASCII.

    Examples
    --------
    >>> is_harmless('{"url": "https://x.org/1.jpg"}'), is_harmless('{"Cookie": "a"}')
    (True, False)
    """
    lowered = text.lower()
    return not any(telltale in lowered for telltale in _TELLTALES)


def _redact_text(value: str, without_credentials: Callable[[str], str]) -> str:
    value = without_credentials(_KEY.sub(f"sd_{PLACEHOLDER}", value))
    if not _WHOLE_URL.fullmatch(value):
        # A URL in prose may be a callback's, and its query string is of no use there.
        value = _EMBEDDED_URL.sub(lambda url: _ANY_PAIR.sub(_without_any_value, url[0]), value)
    return value


def _without_credentials(value: str) -> str:
    value = without_signed_segment(_USER.sub(f"{PLACEHOLDER}@", value), PLACEHOLDER)
    secrets = secrets_in(map(_pair, _PAIR.finditer(value)))
    return _PAIR.sub(partial(_without_credential, secrets, _without_credentials), value)


def _without_named_credentials(value: str) -> str:
    value = _NAMED_USER.sub(f"{PLACEHOLDER}@", value)
    secrets = named_secrets_in(map(_pair, _PAIR.finditer(value)))
    return _PAIR.sub(partial(_without_credential, secrets, _without_named_credentials), value)


def _without_credential(
    secrets: Set[Pair], without_credentials: Callable[[str], str], match: re.Match[str]
) -> str:
    if _pair(match) in secrets:
        return f"{match['start']}{match['name']}={PLACEHOLDER}"
    return f"{match['start']}{match['name']}={_redact_encoded(match['value'], without_credentials)}"


def _pair(match: re.Match[str]) -> Pair:
    return pair_of(f"{match['name']}={match['value']}")


def _redact_encoded(value: str, without_credentials: Callable[[str], str], depth: int = 4) -> str:
    """Redact a percent-encoded value, which may contain a URL whose query contains another one."""
    plain = unquote(value)
    if plain == value or not depth:
        return value
    safe = _redact_text(_redact_encoded(plain, without_credentials, depth - 1), without_credentials)
    return value if safe == plain else quote(safe, safe="")


def _without_any_value(pair: re.Match[str]) -> str:
    name = pair["name"] or ""
    return f"{pair['start']}{name}{PLACEHOLDER if pair['value'] else ''}"
