"""The address that an invalid one was probably meant to be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import quote, urlsplit

from astria_nb.images import SUFFIXES
from astria_nb.tune.plain import INVISIBLE

_SAFE = "%/:=&?~#+!$,;'@()*[]"
# What people type for "https://": a slash or colon too few, a letter too many, or a copied "hxxps".
_MISSPELT_SCHEME = re.compile(
    r"(?:h+t+p+(s?)|t+p+(s)|hxxp(s?))\s*(?:[:;]\s*[/\\]*|[/\\]{2,})\s*", re.IGNORECASE
)
_PUBLIC_HOST = re.compile(r"(?:[^\s/?#:@]+\.)+[^\W\d_]{2,}|localhost|\d+(?:\.\d+){3}", re.IGNORECASE)
_QUOTES = "\"'`<([{|"
_ENDS = f"{_QUOTES}>)]}},; "
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LINK = re.compile(  # in Markdown or HTML
    r"\]\(\s*([^()\s]+)\s*\)|\b(?:src|href)\s*=\s*[\"']?([^\s\"'>]+)", re.IGNORECASE
)
# Of a spreadsheet; it has an address only if that is not put together from cells.
_FORMULA = re.compile(
    r"\s*=\s*(?:HYPERLINK|IMAGE)\s*\(\s*(?:(?:[\"']([^\s\"']+)[\"']|([^\s\"'();,]+))\s*[;,)])?",
    re.IGNORECASE,
)
_SECOND = re.compile(r".+?(https?://.*)", re.IGNORECASE)
_BEFORE = re.compile(r"(?:view-source|url|source):\s*", re.IGNORECASE)  # copied with the address
_UNSEEN = re.compile(rf"[{INVISIBLE}]")
# As browsers do: a long address was wrapped, or copied from a table.
_WRAPPED = re.compile(r"[\t\r\n]+ *")
_FULL_WIDTH = {**{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}, ord("\u3002"): "."}
_PERCENT = re.compile(r"%(?![0-9a-f]{2})", re.IGNORECASE)
_AUTHORITY = re.compile(r"(https?://)([^/?#:@]+)(.*)", re.IGNORECASE | re.DOTALL)


def begins_without_scheme(address: str) -> bool:
    """Return whether only "https://" is missing: the text begins with a public host name."""
    host = re.split(r"[/?#:\\]", address, maxsplit=1)[0]
    return _PUBLIC_HOST.fullmatch(host) is not None and not host.lower().endswith(SUFFIXES)


def repairs(address: str) -> Iterator[str]:
    """Yield the addresses that may have been meant, the likeliest first; they need not be valid."""
    formula = _FORMULA.match(address)
    link = formula or _LINK.search(address)
    linked = next(filter(None, link.groups()), "") if link else ""
    # An address may itself end in a bracket.
    unquoted = address.strip(_ENDS) if address[:1] in tuple(_QUOTES) else ""
    for text in filter(None, (linked,) if formula else (linked, unquoted, address)):
        for spelling in dict.fromkeys((text, text.translate(_FULL_WIDTH))):
            yield from _repaired(_UNSEEN.sub("", spelling))
    if formula is None and (second := _SECOND.fullmatch(address)):
        yield from _repaired(second[1])


def _repaired(text: str) -> Iterator[str]:
    line = _WRAPPED.sub("", _BEFORE.sub("", text, count=1).replace("\\", "/"))
    scheme, address_after = _split_scheme(line)
    if scheme and not begins_without_scheme(address_after):
        return  # an invented host would not exist
    whole = f"{scheme}{address_after}" if scheme else line
    if not _CONTROL.search(whole) and not (re.search(r"[\r\n]", text) and " " in whole):
        yield quote(_PERCENT.sub("%25", _with_ascii_host(whole)), safe=_SAFE)


def _with_ascii_host(address: str) -> str:
    match = _AUTHORITY.fullmatch(address)
    if match is None or match[2].isascii():
        return address
    import requests  # imported here: rarely needed

    with suppress(requests.RequestException):
        host = urlsplit(requests.Request("GET", f"https://{match[2]}").prepare().url or "").hostname
        return f"{match[1]}{host}{match[3]}"
    return address


def _split_scheme(text: str) -> tuple[str, str]:
    """Return the scheme that was meant, and what follows it; the scheme is empty if there is none."""
    scheme = "https://" if text.startswith("//") or begins_without_scheme(text) else ""
    text = text.removeprefix("//")
    while match := _MISSPELT_SCHEME.match(text):
        scheme, text = "https://" if any(match.groups()) else "http://", text[match.end() :]
    return scheme, text
