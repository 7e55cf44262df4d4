"""Web addresses: which are valid, and what to write instead of those that are not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv6Address
from os import PathLike
from typing import Any
from urllib.parse import quote, urlsplit

from astria_nb.images import SUFFIXES
from astria_nb.tune.plain import as_text, stripped
from astria_nb.tune.proposals import Report
from astria_nb.utils.formatting import short
from astria_nb.utils.redaction import PLACEHOLDER, redact_text

_CHARACTERS = re.compile(r"[!#-;=?-\[\]_a-z~]+")  # every visible ASCII character but " < > \ ^ ` { | }
_SAFE = "%/:=&?~#+!$,;'@()*[]"
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?", re.IGNORECASE)
# What people type for "https://": a slash or colon too few, a letter too many, or a copied "hxxps".
_MISSPELT_SCHEME = re.compile(
    r"(?:h+t+p+(s?)|t+p+(s)|hxxp(s?))\s*(?:[:;]\s*[/\\]*|[/\\]{2,})\s*", re.IGNORECASE
)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(?!\d+(?:/|$))", re.IGNORECASE)  # a host may end in ":8080"
_PUBLIC_HOST = re.compile(r"(?:[^\s/?#:@]+\.)+[a-z]{2,}|localhost|\d+(?:\.\d+){3}", re.IGNORECASE)
_QUOTES = "\"'`<>()[]{}|"
_LINK = re.compile(r"\]\(\s*([^()\s]+)\s*\)")  # as in Markdown
_NEXT_ADDRESS = re.compile(r"[\s,;|]https?://", re.IGNORECASE)
_MAX_PROPOSAL = 300  # characters

_PRESIGN = "give the https:// address of the file, such as a presigned one"
_SERVE = "put the file on a web server, and give its https:// address"
_ELSEWHERE = {
    **dict.fromkeys(("s3", "gs", "gcs", "az", "abfs", "abfss", "wasbs"), _PRESIGN),
    **dict.fromkeys(("ftp", "ftps", "sftp", "smb"), _SERVE),
}
_LOCAL = "give files as images=[…], and addresses that begin with https:// as image_urls"
_WHOLE = "give a whole address, which begins with https://"


def url(value: Any, report: Report, *, of_picture: bool = False) -> str | None:
    """Accept an http(s) URL that is already percent-encoded; surrounding blanks are removed.

    Parameters
    ----------
    value : object
    report : Report
    of_picture : bool
        Whether a hint may point to the field for files.
    """
    text = as_text(value)
    if text is None:
        report(f"{short(value)} is {kind_of(value)}, not a web address", _hint_for_object(value, of_picture))
        return None
    address = stripped(text)
    if PLACEHOLDER in address:
        report(f"{short(address)} lacks its secret", "enter the whole address")
        return None
    what = _fault(address)
    if what is None:
        return address
    report(f"{short(address)} {what}", _hint(address, what, of_picture))
    return None


def host_of(address: str) -> str | None:
    """Return the host of an address in lower case; None if it, or the port, is not valid."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
        if not host or port == 0 or host in ("http", "https"):  # a second "https://"
            return None
        if ":" in host:
            IPv6Address(host)
        elif host.isascii() and not _HOST.fullmatch(host):
            return None
    except ValueError:
        return None
    return host


def kind_of(value: object) -> str:
    """Return what a value is, as a reader would call it."""
    return {bool: "a boolean", int: "a number", float: "a number", bytes: "bytes"}.get(
        type(value), f"of type {type(value).__name__}"
    )


def is_encodable(value: str) -> bool:
    """Return whether a text can be sent: no NUL, and no half of a surrogate pair."""
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def _fault(address: str) -> str | None:
    if not address.lower().startswith(("http://", "https://")):
        return "is not a web address"
    if not is_encodable(address):
        return "contains characters that cannot be sent (NUL, or half of a surrogate pair)"
    if (host := host_of(address)) is None:
        return "has no valid host and port"
    if not host.isascii():
        return "has a host name that is not ASCII"
    return None if _CHARACTERS.fullmatch(address) else "has characters that must be percent-encoded"


def _hint(address: str, what: str, of_picture: bool) -> str:
    if not is_encodable(address):
        return "remove them" if what.startswith("contains") else _WHOLE
    if _NEXT_ADDRESS.search(address):
        return "give each address as an item of its own" if of_picture else "give one address"
    if re.search(r"\{\w*\}", address):
        return "fill in what is in braces"
    if _begins_without_scheme(address) and _fault(f"https://{address}") is None:
        return "begin it with https://"
    proposal = next((repaired for repaired in _repairs(address) if _fault(repaired) is None), None)
    if proposal is not None and redact_text(proposal) == proposal and len(proposal) <= _MAX_PROPOSAL:
        return f"write {proposal}"
    return _hint_in_words(address, what, of_picture, has_proposal=proposal is not None)


def _hint_in_words(address: str, what: str, of_picture: bool, *, has_proposal: bool) -> str:
    if has_proposal or "percent-encoded" in what:
        return "write %20 for a space, and so on"
    if "ASCII" in what:
        return "write the host in its xn-- form"
    if "host and port" in what:
        return "check the host, and the port, which is 1 to 65535"
    scheme = _SCHEME.match(address)
    if scheme and (hint := _ELSEWHERE.get(scheme[1].lower())):
        return hint
    return _LOCAL if of_picture else _WHOLE


def _hint_for_object(value: Any, of_picture: bool) -> str:
    if isinstance(value, bytes):
        try:
            address = stripped(value.decode("ascii"))
        except UnicodeDecodeError:
            return _LOCAL if of_picture else _WHOLE
        if _fault(address) is None and redact_text(address) == address and len(address) <= _MAX_PROPOSAL:
            return f"write {address}"
    if of_picture and isinstance(value, PathLike | bytes):
        return _LOCAL
    return "give text that begins with https://"


def _begins_without_scheme(address: str) -> bool:
    """Return whether only "https://" is missing: the text begins with a host that others can know."""
    host = re.split(r"[/?#:]", address, maxsplit=1)[0]
    return _PUBLIC_HOST.fullmatch(host) is not None and not host.lower().endswith(SUFFIXES)


def _repairs(address: str) -> Iterator[str]:
    """Yield what the address may have been meant to be, the likeliest first."""
    link = _LINK.search(address)
    for text in (link[1] if link else "", address.strip(_QUOTES).strip(), address):
        scheme, address_after = _split_scheme(text)
        if scheme and not _begins_without_scheme(address_after):
            continue  # an invented host would be a dead one
        whole = f"{scheme}{address_after}" if scheme else text
        # A line break is where a long address was wrapped.
        unwrapped = re.sub(r"[\r\n]\s*", "", whole.replace("\\", "/"))
        yield from (quote(candidate, safe=_SAFE) for candidate in (unwrapped, whole))


def _split_scheme(text: str) -> tuple[str, str]:
    """Return the scheme that was meant, and what follows it; the scheme is empty if there is none."""
    scheme = "https://" if text.startswith("//") or _begins_without_scheme(text) else ""
    text = text.removeprefix("//")
    while match := _MISSPELT_SCHEME.match(text):
        scheme, text = "https://" if any(match.groups()) else "http://", text[match.end() :]
    return scheme, text
