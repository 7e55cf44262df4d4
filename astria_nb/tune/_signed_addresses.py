"""Whether two addresses lead to the same picture: different signatures do not count."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from astria_nb.utils.redaction import is_credential

_PICTURE_NAME = "key"  # which may or may not be a secret
# Signatures with unspecific names: Discord's, Cloudflare's and imgix's.
_SHORT_NAMES = re.compile(r"hm=[0-9a-f]+|verify=\d+-.+|s=[0-9a-f]{32}", re.IGNORECASE)
_VALIDITY = re.compile(r"(expir(es|e|y)|exp|ex|is|oe)=.*", re.IGNORECASE | re.DOTALL)


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
    pairs = query.split("&")
    if not any(map(_is_signature, pairs)):
        return address
    pairs = [pair for pair in pairs if not _is_signature(pair) and not _VALIDITY.fullmatch(pair)]
    return "?".join([url, *filter(None, ["&".join(pairs)])])


def secret_names(addresses: Iterable[str]) -> list[str]:
    """Return the values in addresses that may name the pictures, but are recorded without their value."""
    pairs = (pair for address in addresses for pair in address.partition("?")[2].split("&"))
    return sorted(pair for pair in pairs if _name(pair) == _PICTURE_NAME)


def unsigned_addresses(addresses: Iterable[str]) -> list[str]:
    """Return the identity of a set of pictures, whatever the signatures and the order of their addresses.

    Examples
    --------
    >>> unsigned_addresses(["https://x.org/2.jpg?Signature=00ff", "https://x.org/1.jpg?key=1"])
    ['https://x.org/1.jpg?key=1', 'https://x.org/2.jpg']
    """
    return sorted(map(unsigned, addresses))


def _name(pair: str) -> str:
    return unquote(pair.partition("=")[0]).lower()


def _is_signature(pair: str) -> bool:
    name = _name(pair)
    return (is_credential(name) and name != _PICTURE_NAME) or _SHORT_NAMES.fullmatch(pair) is not None
