"""What is taken out of everything that is written to disk: keys, signatures, passwords, callback values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

GONE = "…"
_KEY = re.compile(r"sd_[A-Za-z0-9_-]{6,}")
# A file or a title may well be called sd_images; a key is longer.
_LONG_KEY = re.compile(r"sd_[A-Za-z0-9_-]{16,}")
_USER = re.compile(r"(?<=://)[^/?#\s\"'<>]*@")
# A semicolon may part two pairs; it belongs to the value where no pair follows.
_PAIR = re.compile(
    r"(?P<start>[?&;#](?:amp;)?)(?P<name>[^=&;#?\s\"<>]*)="
    r"(?P<value>[^&;#\s\"<>]*(?:;(?![^=&;#\s\"<>]*=)[^&;#\s\"<>]*)*)"
)
# A word without "=" in a query may be a token.
_ANY_PAIR = re.compile(
    r"(?P<start>[?&;#](?:amp;)?)(?P<name>[^=&;#?\s\"<>]*=)?(?P<value>[^&;#\s\"<>]*)(?=[&;#\s\"<>]|$)"
)
_IN_PROSE = re.compile(r"://[^\s\"<>]+")
_A_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S*")
_CREDENTIAL = re.compile(
    r"x-(amz|goog|ms|oss|cos)-.*|.*(signature|token|secret|passw|credential|session|api_?-?key|access_?-?key).*"
    r"|awsaccesskeyid|googleaccessid|key-pair-id|policy|key|auth.*|bearer|jwt|sign|hmac|pwd"
    r"|sig|se|sp|sv|sr|st|spr|skoid|sktid|skt|ske|sks|skv",  # Azure's shared access signatures
    re.IGNORECASE,
)
_CREDENTIAL_FIELD = re.compile(
    r"(.*-)?authorization|cookie|set-cookie|x-api-key|api_?key|.*password.*|.*secret.*|access_?token",
    re.IGNORECASE,
)
_CALLBACKS = ("callback", "prompts_callback")


def text(value: str, *, is_callback: bool = False) -> str:
    """Return a text without keys and without what is secret in the addresses in it.

    Parameters
    ----------
    value : str
    is_callback : bool
        Take out every value in the query strings, whatever its name: only the receiver knows what it means.

    Examples
    --------
    >>> text("sd_abcdefgh was refused")
    'sd_… was refused'
    >>> text("https://me:pw@x.org/a.jpg?size=9&X-Amz-Signature=00ff")
    'https://…@x.org/a.jpg?size=9&X-Amz-Signature=…'
    >>> text("https://x.org/done?run=7", is_callback=True)
    'https://x.org/done?run=…'
    """
    value = _KEY.sub(f"sd_{GONE}", value)
    if is_callback:
        return _ANY_PAIR.sub(_without_any_value, _USER.sub(f"{GONE}@", value))
    value = _without_credentials(value)
    if not _A_URL.fullmatch(value):
        # In prose, an address may be the callback's; nobody needs its query string there.
        value = _IN_PROSE.sub(lambda found: _ANY_PAIR.sub(_without_any_value, found[0]), value)
    return value


def name(value: str) -> str:
    """Return what something is called by, a title or a path, likewise; but only a key of a key's length goes.

    Examples
    --------
    >>> name("sd_images/1.jpg"), name("sd_0123456789abcdef01234567.jpg")
    ('sd_images/1.jpg', 'sd_….jpg')
    """
    return _without_credentials(without_long_keys(value))


def without_long_keys(value: str) -> str:
    """Return a text without what is as long as a key, and nothing else changed."""
    return _LONG_KEY.sub(f"sd_{GONE}", value)


def json(value: Any, *, field: str = "", is_callback: bool = False) -> Any:
    """Return JSON with every text in it made safe, at any depth, the keys of objects as well.

    Parameters
    ----------
    value : JSON
    field : str
        The key under which it stands.
    is_callback : bool
        Whether it stands somewhere under a ``callback``.

    Examples
    --------
    >>> json({"callback": "https://x.org/?a=1", "headers": {"Authorization": "Bearer abc"}})
    {'callback': 'https://x.org/?a=…', 'headers': {'Authorization': '…'}}
    """
    is_callback = is_callback or field in _CALLBACKS
    if isinstance(value, Mapping):
        return {
            text(str(key)): json(each, field=str(key), is_callback=is_callback) for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [json(each, field=field, is_callback=is_callback) for each in value]
    if isinstance(value, str):
        if _CREDENTIAL_FIELD.fullmatch(field):
            return GONE
        if field == "title":
            return name(value)
        return text(value, is_callback=is_callback)
    return value if value is None or isinstance(value, bool | int | float) else text(str(value))


def _without_credentials(value: str) -> str:
    return _PAIR.sub(_without_credential, _USER.sub(f"{GONE}@", value))


def _without_credential(pair: re.Match[str]) -> str:
    if _CREDENTIAL.fullmatch(unquote(pair["name"])):
        return f"{pair['start']}{pair['name']}={GONE}"
    return f"{pair['start']}{pair['name']}={_encoded(pair['value'])}"


def _encoded(value: str, depth: int = 4) -> str:
    """Make safe what is in an encoded value: an address may hold another one, and that one another."""
    plain = unquote(value)
    if plain == value or not depth:
        return value
    safe = text(_encoded(plain, depth - 1))
    return value if safe == plain else quote(safe, safe="")


def _without_any_value(pair: re.Match[str]) -> str:
    found = pair["name"] or ""
    return f"{pair['start']}{found}{GONE if pair['value'] else ''}"
