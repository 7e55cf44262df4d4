"""ICC profiles (ICC.1:2022), told from other data in their place."""

from __future__ import annotations

import struct
from collections.abc import Callable
from itertools import pairwise

MAX_BYTES = 255 * 2**16
"""More than the largest profile that fits in a JPEG."""
_HEADER, _ENTRY, _TAG_HEADER = 128, 12, 8  # bytes
_SIGNATURE = slice(36, 40)
_PARAMETERS = (1, 3, 4, 5, 7)  # of each kind of parametric curve
_LARGEST = 16  # of a matrix or a curve's parameters; text read as a number is larger


def is_profile(content: bytes) -> bool:
    """Return whether the content is an ICC profile from its first byte to its last.

    If bytes of a file were lost, other data can be in the place of a profile: metadata that followed it. So
    the header has to state this size, each tag has to begin with its type and to contain what the type
    requires, and between the tags there are only zeros.

    Examples
    --------
    >>> is_profile(b"12 Example Street")
    False
    """
    size = len(content)
    if size < _HEADER + 4 or int.from_bytes(content[:4]) != size or content[_SIGNATURE] != b"acsp":
        return False
    (count,) = struct.unpack_from(">I", content, _HEADER)
    end = start = _HEADER + 4 + count * _ENTRY
    if not count or end > size:
        return False
    entries = range(_HEADER + 4, end, _ENTRY)
    for offset, length in sorted({struct.unpack_from(">II", content, entry + 4) for entry in entries}):
        if offset < start or offset + length > size or any(content[end:offset]):
            return False
        if not _is_tag(content[offset : offset + length]):
            return False
        end = max(end, offset + length)  # tags may share their data
    return not any(content[end:])


def _is_tag(content: bytes) -> bool:
    """Return whether a tag's data begins with its type and four zeros, and fits the type."""
    kind = content[:4].decode("latin-1")
    if len(content) < _TAG_HEADER or any(content[4:8]) or not (kind.isascii() and kind.isprintable()):
        return False
    check = _CHECKS.get(kind)
    return check is None or check(content[_TAG_HEADER:])


def _are_numbers(content: bytes) -> bool:
    """Return whether it is a row of plausible numbers with 16 bits before the point and 16 after it."""
    whole, rest = divmod(len(content), 4)
    numbers = struct.unpack_from(f">{whole}i", content)
    return not any(content[-rest:] if rest else b"") and all(
        abs(number) <= _LARGEST * 2**16 for number in numbers
    )


def _is_parametric_curve(content: bytes) -> bool:
    kind = int.from_bytes(content[:2])
    return kind < len(_PARAMETERS) and len(content) >= 4 + 4 * _PARAMETERS[kind] and _are_numbers(content[4:])


def _is_curve(content: bytes) -> bool:
    """Return whether it is a curve that falls nowhere, or a gamma."""
    count = int.from_bytes(content[:4])
    end = 4 + 2 * count
    if len(content) < 4 or not end <= len(content) < end + 4 or any(content[end:]):
        return False
    values = struct.unpack_from(f">{count}H", content, 4)
    if count == 1:
        return bool(values[0] <= _LARGEST * 2**8)
    return all(value <= following for value, following in pairwise(values))


_CHECKS: dict[str, Callable[[bytes], bool]] = {
    "XYZ ": _are_numbers,
    "sf32": _are_numbers,
    "chrm": lambda content: _are_numbers(content[4:]),
    "para": _is_parametric_curve,
    "curv": _is_curve,
    "text": lambda content: content.find(b"\0") >= 0 and not any(content[content.find(b"\0") :]),
}
