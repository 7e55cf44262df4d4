"""Remarks on addresses of a tune that are likely to fail, before it is paid for. Nothing is refused."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from astria_nb.errors import Problem
from astria_nb.tune._expiry import expiry
from astria_nb.tune._share_pages import hint_for, share_page
from astria_nb.utils.formatting import short

_PRIVATE_NAMES = re.compile(
    r"(.*\.)?(localhost|localdomain|local|internal|intranet|lan|home|home\.arpa|corp|private)|[^.]*"
)
_SHARED = re.compile(r"0x[0-9a-f.x]+|[0-9.]+")  # an IPv4 address in any spelling, such as 127.1
_UNREACHABLE = "is an address of this machine or its network, which the service cannot reach"
_GIVE_FILES = "give the photos as images, or put them where the service can get them"
_GIVE_TUNNEL = "give the https address of a tunnel: anb.Callbacks(public_url=…).fields()"
_SIGN_AGAIN = "sign it again, for an hour or more"
_TWO = re.compile(r"[,;]https?://|\.(?:jpe?g|png|webp)https?://", re.IGNORECASE)
_STRAY = re.compile(r"\.(?:jpe?g|png|webp)([.,;:'\")\]]+)$", re.IGNORECASE)
_OTHER_TYPE = re.compile(r"\.(?:heic|heif|avif|gif|bmp|tiff?|svg|pdf|zip|mov|mp4|webm)$", re.IGNORECASE)

_Fault = tuple[str, str]


def address_remarks(values: Mapping[str, Any], *, is_local: bool, now: datetime) -> list[Problem]:
    """Return what is likely to go wrong with the addresses of a tune, one remark per field and reason.

    Parameters
    ----------
    values : mapping of str to object
        The fields of a tune, as `Tune` holds them.
    is_local : bool
        Whether the service runs on this machine, and so reaches its addresses.
    now : datetime
        With a time zone.
    """
    remarks: dict[tuple[str, str, str], list[str]] = {}
    for address in values.get("image_urls", ()):
        for what, hint in _picture_faults(address, is_local, now):
            remarks.setdefault(("image_urls", what, hint), []).append(address)
    for field, address in _callbacks(values):
        if not is_local and is_private(address):
            remarks[field, _UNREACHABLE, _GIVE_TUNNEL] = [address]
    return [
        Problem(field, f"{_without_query(addresses[0])} {what}{_others(addresses)}", hint)
        for (field, what, hint), addresses in remarks.items()
    ]


def is_private(address: str) -> bool:
    """Return whether only this machine, or its network, can reach an address."""
    host = (urlsplit(address).hostname or "").rstrip(".")
    ip = _ip_address(host)
    return not ip.is_global if ip is not None else _PRIVATE_NAMES.fullmatch(host) is not None


def _picture_faults(address: str, is_local: bool, now: datetime) -> Iterator[_Fault]:
    parts = urlsplit(address)
    if not is_local and is_private(address):
        yield _UNREACHABLE, _GIVE_FILES
    elif (page := share_page(parts)) is not None:
        yield f"is a page of {page.site}, not the picture", hint_for(page, parts)
    else:
        yield from _odd_endings(address, parts)
    end = expiry(parts)
    if end is not None and end <= now:
        yield f"expired on {end.astimezone(UTC):%Y-%m-%d at %H:%M} UTC", _SIGN_AGAIN


def _odd_endings(address: str, parts: SplitResult) -> Iterator[_Fault]:
    """Yield problems that the end of an address suggests; it may still be a picture."""
    if _TWO.search(address):
        yield "looks like two addresses in one", "give each as an item of its own"
    elif parts.path in ("", "/") and not parts.query:
        yield "is a whole site, not a picture", "give the address of the picture itself"
    elif stray := _STRAY.search(address):
        yield f"ends in {stray[1]!r}", "leave that out, unless it is part of the address"
    elif other := _OTHER_TYPE.search(parts.path):
        yield f"ends in {other[0]}, and the service documents JPEG and PNG", "give the photo as one of them"


def _callbacks(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field in ("callback", "prompts_callback"):
        if isinstance(address := values.get(field), str):
            yield field, address
    if isinstance(address := values.get("prompt_attributes", {}).get("callback"), str):
        yield "prompt_attributes.callback", address


def _without_query(address: str) -> str:
    """Return an address without the part that may give others access."""
    return short(re.split(r"[?#]", address, maxsplit=1)[0])


def _others(addresses: list[str]) -> str:
    return f" (and {len(addresses) - 1} more)" if len(addresses) > 1 else ""


def _ip_address(host: str) -> IPv4Address | IPv6Address | None:
    may_be_ipv4 = _SHARED.fullmatch(host) is not None
    if not may_be_ipv4 and ":" not in host:  # a name
        return None
    try:
        ip = ip_address(socket.inet_aton(host) if may_be_ipv4 else host.partition("%")[0])
    except (OSError, ValueError):
        return None
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return mapped or ip
