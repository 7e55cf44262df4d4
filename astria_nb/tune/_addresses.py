"""Web addresses: which are valid, and what to write instead of those that are not."""

from __future__ import annotations

import re
import socket
from enum import Enum
from functools import lru_cache
from ipaddress import IPv6Address
from os import PathLike
from typing import Any
from urllib.parse import urlsplit

from astria_nb.tune._address_repairs import begins_without_scheme, repairs
from astria_nb.tune._proposals import Report
from astria_nb.tune.plain import INVISIBLE, as_text
from astria_nb.utils.formatting import short
from astria_nb.utils.redaction import PLACEHOLDER, redact_text
from astria_nb.utils.remedies import Remedy

# Every visible ASCII character but " < > \ ^ ` { | }, and a percent sign only where it encodes one.
_CHARACTERS = re.compile(r"(?:[!#-$&-;=?-\[\]_a-z~]|%[0-9a-f]{2})+", re.IGNORECASE)
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,254}}$){_LABEL}(?:\.{_LABEL})*\.?", re.IGNORECASE)
_ORIGIN = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_NUMBERS = re.compile(r"(?:.*\.)?\d+\.?")  # a host that ends in a number is an IPv4 address
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(?!\d+(?:/|$))", re.IGNORECASE)  # a host may end in ":8080"
_NEXT_ADDRESS = re.compile(r"[\s,;|]https?://", re.IGNORECASE)
_PLACE = re.compile(r"\{\w*\}|<[\w -]+>")  # for what differs from photo to photo
_BLANK_ENDS = re.compile(rf"^[\s{INVISIBLE}]+|[\s{INVISIBLE}]+$")
_MAX_PROPOSAL = 300  # characters

_PRESIGN = "give the https:// address of the file, such as a presigned one"
_SERVE = "put the file on a web server, and give its https:// address"
_SAVE = f"save it as a file, and {Remedy.GIVE_THE_FILE}"
_ELSEWHERE = {
    **dict.fromkeys(("s3", "gs", "gcs", "az", "abfs", "abfss", "wasbs", "oss", "r2", "b2", "hf"), _PRESIGN),
    **dict.fromkeys(("ftp", "ftps", "sftp", "smb", "hdfs", "dbfs", "ipfs"), _SERVE),
}
_IN_MEMORY = ("data", "blob")
_LOCAL = f"{Remedy.GIVE_FILES}, and addresses that begin with https:// {Remedy.AS_URLS}"
_WHOLE = "give a whole address, which begins with https://"


class _Fault(Enum):
    """What is wrong with an address, and the hint if nothing better is found; an empty one if none is."""

    NOT_AN_ADDRESS = "is not a web address", ""
    UNSENDABLE = "contains characters that cannot be sent (NUL, or half of a surrogate pair)", "remove them"
    BAD_HOST = "has no valid host and port", "check the host, and the port, which is 1 to 65535"
    NOT_ASCII = "has a host name that is not ASCII", "write the host in its xn-- form"
    NOT_ENCODED = (
        "has characters that must be percent-encoded",
        "write %20 for a space, %25 for a percent sign, and so on",
    )

    def __init__(self, what: str, hint: str) -> None:
        self.what = what
        self.hint = hint


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
    address = _BLANK_ENDS.sub("", text)
    if PLACEHOLDER in address:
        report(f"{short(address)} lacks its secret", "enter the whole address")
        return None
    fault = _fault_of(address)
    if fault is None:
        return address
    report(f"{short(address)} {fault.what}", _hint(address, fault, of_picture))
    return None


def host_of(address: str) -> str | None:
    """Return the host of an address in lower case; None if it, or the port, is not valid."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
        if not host or port == 0 or re.search(r"(?:^|\.)https?$", host):  # a second "https://"
            return None
        if ":" in host:
            IPv6Address(host)
        elif host.isascii() and not _HOST.fullmatch(host):
            return None
        elif _NUMBERS.fullmatch(host):
            socket.inet_aton(host.rstrip("."))
    except (OSError, ValueError):
        return None
    return host


@lru_cache(1024)  # most addresses of a table are on one host
def _host_at(origin: str) -> str | None:
    return host_of(origin)


def kind_of(value: object) -> str:
    """Return what a value is, as a reader would call it."""
    return {bool: "a boolean", int: "a number", float: "a number", bytes: "bytes"}.get(
        type(value), f"of type {type(value).__name__}"
    )


def is_encodable(value: str) -> bool:
    """Return whether a text can be sent: no NUL, and no half of a surrogate pair."""
    if "\0" in value:
        return False
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)


def _fault_of(address: str) -> _Fault | None:
    if not address.lower().startswith(("http://", "https://")):
        return _Fault.NOT_AN_ADDRESS
    if not is_encodable(address):
        return _Fault.UNSENDABLE
    if (host := _host_at(_ORIGIN.match(address)[0])) is None:  # type: ignore[index]  # it begins so
        return _Fault.BAD_HOST
    if not host.isascii():
        return _Fault.NOT_ASCII
    return None if _CHARACTERS.fullmatch(address) else _Fault.NOT_ENCODED


def _hint(address: str, fault: _Fault, of_picture: bool) -> str:
    if not is_encodable(address):
        return fault.hint or _WHOLE
    if _NEXT_ADDRESS.search(address):
        return f"give each address {Remedy.AS_AN_ITEM}" if of_picture else "give one address"
    if _PLACE.search(address):
        return "fill in what is in braces"
    if _scheme_of(address) in _IN_MEMORY:
        return _SAVE if of_picture else _WHOLE
    if begins_without_scheme(address) and _fault_of(f"https://{address}") is None:
        return "begin it with https://"
    proposal = next((repaired for repaired in repairs(address) if _fault_of(repaired) is None), None)
    if proposal is not None and redact_text(proposal) == proposal and len(proposal) <= _MAX_PROPOSAL:
        return f"write {proposal}"
    if re.search(r"[\x00-\x1f\x7f]", address):
        return "write it in one line, without control characters"
    if proposal is not None:
        return _Fault.NOT_ENCODED.hint
    return fault.hint or _ELSEWHERE.get(_scheme_of(address), _LOCAL if of_picture else _WHOLE)


def _scheme_of(address: str) -> str:
    match = _SCHEME.match(address)
    return match[1].lower() if match else ""


def _hint_for_object(value: Any, of_picture: bool) -> str:
    if isinstance(value, bytes):
        try:
            address = _BLANK_ENDS.sub("", value.decode("ascii"))
        except UnicodeDecodeError:
            return _LOCAL if of_picture else _WHOLE
        if _fault_of(address) is None and redact_text(address) == address and len(address) <= _MAX_PROPOSAL:
            return f"write {address}"
    if of_picture and isinstance(value, PathLike | bytes):
        return _LOCAL
    return "give text that begins with https://"
