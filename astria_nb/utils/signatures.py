"""Which parameters of a web address are secret, and which of them change whenever it is signed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

Pair = tuple[str, str]
"""Name and value of a parameter: the name without percent escapes and in lower case."""

_NAMES = re.compile(
    r"x-(amz|goog|ms|oss|cos)-.*|.*(signature|token|secret|passw|credential|session|api_?-?key|access_?-?key).*"
    r"|awsaccesskeyid|googleaccessid|key-pair-id|policy|auth.*|bearer|jwt|sign|hmac|pwd"
    r"|sig|se|sp|sv|sr|st|spr|skoid|sktid|skt|ske|sks|skv"  # Azure's shared access signatures
)
_MORE_NAMES = re.compile(
    r"x-\w+-(algorithm|date|expires|signed-?headers)"
    r"|q-(sign-.*|ak|key-time|header-list|url-param-list)"  # Tencent
    r"|tempauth|hdn(ts|ea|tl)|ik-s|oh|_nc_.*"  # SharePoint, Akamai, ImageKit, and Instagram twice
)
# Names that say nothing, and what they have if it is a signature: Discord's, Cloudflare's, imgix's, Slack's,
# CDN77's. What was redacted has been one.
_SHAPES = {
    "hm": re.compile(r"…|[0-9a-f]+", re.IGNORECASE),
    "verify": re.compile(r"…|\d+-.+"),
    "s": re.compile(r"…|[0-9a-f]{32}", re.IGNORECASE),
    "t": re.compile(r"…|xox[a-z]-.+"),
    "secure": re.compile(r"…|.{6,}"),
}
_LASTING = re.compile(r"key|rlkey|resource_?key|pass|pw|passphrase|passcode")
# A signature if a time stands beside it, and nothing that is one by its name.
_CHECKSUMS = re.compile(r"md5|hash|mac|digest|checksum|ticket|hs?|s|k|tk?")
_TOKEN = re.compile(r"…|(?=.*\d)[\w.~+/%=-]{16,}")
_VALIDITY = re.compile(r"(expir(es|e|y)|exp|ex|is|oe)=.*|e=\d{6,}", re.DOTALL)
_TIME_NAMES = re.compile(r".*expir.*|exp|ex|is|oe|e|t|ts|ik-t|time(stamp)?|valid\w*|deadline|ttl")
_TIME = re.compile(r"[1-3]\d{9}(\d{3})?|[4-9a-f][0-9a-f]{7}|20\d\d-?\d\d-?\d\d.*", re.IGNORECASE)
_SEGMENT = re.compile(r"/(hdn(?:ts|ea|tl)|bcdn_token)=[^/?#\s\"<>]*(?=/)")


def pair_of(parameter: str) -> Pair:
    """Return name and value of a parameter, as it stands in a query string."""
    name, _, value = parameter.partition("=")
    return unquote(name).lower(), value


def is_signature(pair: Pair) -> bool:
    """Return whether a parameter is made again whenever the address is signed, by its name or its value.

    Examples
    --------
    >>> [is_signature(pair) for pair in [("x-amz-date", "1"), ("hm", "0f"), ("s", "200"), ("key", "1.jpg")]]
    [True, True, False, False]
    """
    name, value = pair
    if is_named_signature(name) or _MORE_NAMES.fullmatch(name):
        return True
    shape = _SHAPES.get(name)
    return shape is not None and shape.fullmatch(value) is not None


def is_named_signature(name: str) -> bool:
    """Return whether a name alone says that it is of a signature, in the terms of the oldest records."""
    return _NAMES.fullmatch(name) is not None


def checksum_in(pairs: Sequence[Pair]) -> Pair | None:
    """Return the parameter that has to be the signature since an address with an end is signed; or None.

    Examples
    --------
    >>> checksum_in([("w", "300"), ("md5", "0123456789abcdef"), ("e", "1767225600")])
    ('md5', '0123456789abcdef')
    """
    if any(map(is_signature, pairs)) or not any(map(_is_time, pairs)):
        return None
    found = [pair for pair in pairs if _CHECKSUMS.fullmatch(pair[0]) and _TOKEN.fullmatch(pair[1])]
    return found[0] if len(found) == 1 else None


def is_validity(pair: Pair) -> bool:
    """Return whether a parameter of a signed address says until when it is valid, or when it was signed."""
    return _VALIDITY.fullmatch("=".join(pair)) is not None or _is_time(pair)


def secrets_in(pairs: Iterable[Pair]) -> set[Pair]:
    """Return the parameters of one address that let others fetch it: signatures, keys, passwords."""
    pairs = list(pairs)
    checksum = checksum_in(pairs)
    return {pair for pair in pairs if pair == checksum or is_signature(pair) or _LASTING.fullmatch(pair[0])}


def without_signed_segment(url: str, instead: str = "") -> str:
    """Return an address without a signature that is a part of its path.

    Examples
    --------
    >>> without_signed_segment("https://x.org/hdnts=exp=9~hmac=0f/1.jpg")
    'https://x.org/1.jpg'
    """
    return _SEGMENT.sub(rf"/\1={instead}" if instead else "", url)


def _is_time(pair: Pair) -> bool:
    return _TIME_NAMES.fullmatch(pair[0]) is not None and _TIME.fullmatch(pair[1]) is not None
