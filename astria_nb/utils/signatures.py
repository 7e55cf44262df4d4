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
    r"q-(sign-.*|ak|key-time|header-list|url-param-list)"  # Tencent
    r"|tempauth|hdn(ts|ea|tl)|ik-s"  # SharePoint, Akamai, ImageKit
)
# MD5, SHA-1 or SHA-256 in base64: a name in words is hardly as long.
_DIGEST = r"(?=.*\d)(?=.*[a-z])(?=.*[A-Z])([\w+/-]{22}(==)?|[\w+/-]{27}=?|[\w+/-]{43}=?)"
# Names that say nothing, and what they have if it is a signature: Discord's, Cloudflare's, imgix's, Slack's,
# CDN77's, Instagram's. What was redacted has been one.
_SHAPES = {
    "hm": re.compile(r"…|[0-9a-f]{32,}", re.IGNORECASE),
    "verify": re.compile(r"…|\d+-.+"),
    "s": re.compile(r"…|[0-9a-f]{32}", re.IGNORECASE),
    "t": re.compile(r"…|xox[a-z]-.+"),
    "secure": re.compile(rf"…|{_DIGEST}(,\d{{10}})?"),
    "oh": re.compile(r"…|00_.+"),
}
# Neither secret nor a signature, but made again with that: Volcengine's and others', Instagram's.
_COMPANIONS = (
    (re.compile(r"(x-\w+-)(algorithm|date|expires|signed-?headers)"), r"\1signature"),
    (re.compile(r"_nc_.*"), "oh"),
)
_LASTING = re.compile(r"key|rlkey|resource_?key|pass|pw|passphrase|passcode")
_WIDTH = re.compile(r"\d{1,4}")
# A signature if an end stands beside it, and nothing that is one by its name.
_CHECKSUMS = re.compile(r"md5|hash|mac|digest|checksum|ticket")
_TOKEN = re.compile(rf"…|[0-9a-fA-F]{{16,}}|{_DIGEST}")
_UNIX = r"[1-3]\d{9}(\d{3})?"
_VALIDITY = re.compile(
    rf"(expir(es|e|y)|exp|ex|is|oe)=.*|(e|ik-t|valid_?(until|to|from)|deadline)={_UNIX}", re.DOTALL
)
_END = re.compile(
    rf"(expir(es|e|y)|exp)=({_UNIX}|20\d\d-?\d\d-?\d\d.*)|(e|valid_?(until|to)|deadline)={_UNIX}", re.DOTALL
)
_SEGMENT = re.compile(r"/(hdn(?:ts|ea|tl)|bcdn_token)=[^/?#\s\"<>]*(?=/)")


def pair_of(parameter: str) -> Pair:
    """Return name and value of a parameter, as it stands in a query string."""
    name, _, value = parameter.partition("=")
    return unquote(name).lower(), value


def is_signature(pair: Pair) -> bool:
    """Return whether a parameter is made again whenever the address is signed, by its name or its value.

    Examples
    --------
    >>> [is_signature(pair) for pair in [("x-amz-date", "1"), ("oh", "00_A"), ("oh", "200"), ("key", "1")]]
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
    if any(map(is_signature, pairs)) or not any(map(_is_end, pairs)):
        return None
    found = [pair for pair in pairs if _CHECKSUMS.fullmatch(pair[0]) and _TOKEN.fullmatch(pair[1])]
    return found[0] if len(found) == 1 else None


def is_validity(pair: Pair) -> bool:
    """Return whether a parameter of a signed address says between which times it is valid.

    A time alone is not enough: `time` and `t` are also those of a picture.

    Examples
    --------
    >>> [is_validity(pair) for pair in [("e", "1767225600"), ("e", "100234"), ("time", "1767225600")]]
    [True, False, False]
    """
    return _VALIDITY.fullmatch("=".join(pair)) is not None


def goes_with_signature(name: str, pairs: Iterable[Pair]) -> bool:
    """Return whether a parameter is made again with one of these, which is a signature.

    Examples
    --------
    >>> goes_with_signature("_nc_cat", [("oh", "00_A")]), goes_with_signature("_nc_cat", [("oh", "200")])
    (True, False)
    """
    names = {pair[0] for pair in pairs if is_signature(pair)}
    matches = ((pattern.fullmatch(name), signature) for pattern, signature in _COMPANIONS)
    return any(match is not None and match.expand(signature) in names for match, signature in matches)


def secrets_in(pairs: Iterable[Pair]) -> set[Pair]:
    """Return the parameters of one address that let others fetch it: signatures, keys, passwords."""
    pairs = list(pairs)
    checksum = checksum_in(pairs)
    return {pair for pair in pairs if pair == checksum or is_signature(pair) or _is_lasting(pair)}


def named_secrets_in(pairs: Iterable[Pair]) -> set[Pair]:
    """Return those that are secret by their name alone, in the terms of the oldest records."""
    return {pair for pair in pairs if is_named_signature(pair[0]) or pair[0] == "key"}


def without_signed_segment(url: str, instead: str = "") -> str:
    """Return an address without a signature that is a part of its path.

    Examples
    --------
    >>> without_signed_segment("https://x.org/hdnts=exp=9~hmac=0f/1.jpg")
    'https://x.org/1.jpg'
    """
    return _SEGMENT.sub(rf"/\1={instead}" if instead else "", url)


def _is_end(pair: Pair) -> bool:
    return _END.fullmatch("=".join(pair)) is not None


def _is_lasting(pair: Pair) -> bool:
    name, value = pair
    is_size = name == "pw" and _WIDTH.fullmatch(value) is not None  # a picture's width, beside `ph`
    return _LASTING.fullmatch(name) is not None and not is_size
