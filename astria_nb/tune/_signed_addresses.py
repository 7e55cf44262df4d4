"""Whether two addresses lead to the same picture: different signatures do not count."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from astria_nb.utils.redaction import PLACEHOLDER, redact_text
from astria_nb.utils.signatures import (
    Pair,
    checksum_in,
    goes_with_signature,
    is_named_signature,
    is_signature,
    is_validity,
    pair_of,
    secrets_in,
    without_signed_segment,
)

_PICTURE = re.compile(r".*\.(jpe?g|png|webp|heic|heif|avif)", re.IGNORECASE | re.DOTALL)
_NAME = re.compile(
    r"(file|path|src|image|img|photo|uri|url|object)([_-]?(id|name|path|key|url))?|name|id|key"
)
# What was a signature, and its times, when the first titles were made.
_FORMER_SHAPES = {"hm": r"[0-9a-f]+", "verify": r"\d+-.+", "s": r"[0-9a-f]{32}"}
_FORMER_EXPIRY = ("expires", "expire", "expiry", "exp", "ex", "is", "oe")


def unsigned(address: str) -> str:
    """Return an address without its signature, and without the times between which it is valid.

    Parameters
    ----------
    address : str
        Recorded or not: a signature is recognised by its name.

    Examples
    --------
    >>> unsigned("https://x.org/1.jpg?size=9&Expires=1767225600&Signature=00ff")
    'https://x.org/1.jpg?size=9'
    >>> unsigned("https://x.org/1.jpg?Expires=never")
    'https://x.org/1.jpg?Expires=never'
    """
    url, _, query = address.partition("?")
    pairs = [*map(pair_of, query.split("&"))] if query else []
    checksum = checksum_in(pairs) if _is_named(url, pairs) else None
    address = f"{without_signed_segment(url)}?{query}" if query else without_signed_segment(url)
    return _without(
        address,
        lambda pair: pair == checksum or is_signature(pair),
        lambda pair: is_validity(pair) or goes_with_signature(pair[0], pairs),
    )


def secret_names(addresses: Iterable[str]) -> list[str]:
    """Return the values in addresses that may name the pictures, but are recorded without their value."""
    names = []
    for address in addresses:
        parameters = [*filter(None, address.partition("?")[2].split("&"))]
        secrets = secrets_in(map(pair_of, parameters))
        kept = unsigned(address).partition("?")[2].split("&")
        names += [
            parameter for parameter in parameters if pair_of(parameter) in secrets and parameter in kept
        ]
    return sorted(names)


def same_address(address: str) -> str:
    """Return an address as it is compared with others, of which some were recorded without their secrets."""
    return unsigned(redact_text(address))


def unsigned_addresses(addresses: Iterable[str]) -> list[str]:
    """Return the identity of a set of pictures, whatever the signatures and the order of their addresses.

    Examples
    --------
    >>> unsigned_addresses(["https://x.org/2.jpg?Signature=00ff", "https://x.org/1.jpg?key=1"])
    ['https://x.org/1.jpg?key=1', 'https://x.org/2.jpg']
    """
    return sorted(map(unsigned, addresses))


def formerly_recorded(addresses: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return what the first records have of addresses that were signed, and what they hash of them."""
    recorded, names = [], []
    for address in formerly_unsigned_addresses(addresses):
        url, _, query = address.partition("?")
        parameters = query.split("&") if query else []
        names += [one for one in parameters if pair_of(one)[0] == "key"]
        kept = "&".join(
            f"{one.partition('=')[0]}={PLACEHOLDER}" if one in names else one for one in parameters
        )
        recorded.append("?".join([redact_text(url), *filter(None, [kept])]))
    return sorted(recorded), sorted(names)


def formerly_unsigned_addresses(addresses: Iterable[str]) -> list[str]:
    """Return the same as the first titles were made of it, which knew fewer signatures.

    Examples
    --------
    >>> formerly_unsigned_addresses(["https://x.org/1.jpg?oh=00_Af&oe=66AA&sig=0f"])
    ['https://x.org/1.jpg?oh=00_Af']
    """
    return sorted(
        _without(address, _was_signature, lambda pair: pair[0] in _FORMER_EXPIRY) for address in addresses
    )


def _without(address: str, is_signed: Callable[[Pair], bool], is_beside: Callable[[Pair], bool]) -> str:
    """Return an address without its signature and what is made again with that, if it has a signature."""
    url, _, query = address.partition("?")
    parameters = query.split("&")
    if not any(is_signed(pair_of(parameter)) for parameter in parameters):
        return address
    kept = (one for one in parameters if not (is_signed(pair := pair_of(one)) or is_beside(pair)))
    return "?".join([url, *filter(None, ["&".join(kept)])])


def _is_named(url: str, pairs: list[Pair]) -> bool:
    """Return whether something but a checksum surely says which picture it is."""
    checksum = checksum_in(pairs)
    return _PICTURE.fullmatch(url) is not None or any(
        _NAME.fullmatch(pair[0]) or _PICTURE.fullmatch(pair[1]) for pair in pairs if pair != checksum
    )


def _was_signature(pair: Pair) -> bool:
    name, value = pair
    if is_named_signature(name):
        return True
    return name in _FORMER_SHAPES and re.fullmatch(_FORMER_SHAPES[name], value, re.IGNORECASE) is not None
