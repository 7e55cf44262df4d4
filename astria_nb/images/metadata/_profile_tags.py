"""The tags of ICC profiles that colours need, with the lengths of their types (ICC.1:2022, section 10)."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from itertools import pairwise

_TAG_HEADER = 8  # bytes: the type and four zeros
_PARAMETERS = (1, 3, 4, 5, 7)  # number of parameters of each kind of parametric curve
_LUT_HEADER, _MOST_CHANNELS = 48, 15
_MATRIX = 48  # bytes, of a lutAToBType
_LARGEST = 16  # largest value of a matrix or a curve's parameters; text read as a number is larger


class _MalformedTagError(Exception):
    pass


def exact(tag: bytes) -> bytes | None:
    """Return the part of a tag's data that its type needs; None if the type is unknown or the tag damaged.

    If bytes of a file were lost, other data can be in place of a tag, so numbers have to be plausible.

    Parameters
    ----------
    tag : bytes
        Beginning with its type.
    """
    read = _TYPES.get(tag[:4])
    try:
        return None if read is None else read(tag)
    except (_MalformedTagError, struct.error):
        return None


def _first(tag: bytes, size: int) -> bytes:
    """Return the first bytes of a tag, with zeros where the type is followed by reserved bytes."""
    if len(tag) < size:
        raise _MalformedTagError
    return tag[:4] + bytes(4) + tag[_TAG_HEADER:size]


def _numbers(count: int) -> Callable[[bytes], bytes]:
    """Return a reader of tags with this number of numbers."""
    return lambda tag: _plausible(_first(tag, _TAG_HEADER + 4 * count), _TAG_HEADER)


def _curve(tag: bytes) -> bytes:
    """Return a curve that never decreases, or a gamma."""
    (count,) = struct.unpack_from(">I", tag, _TAG_HEADER)
    cut = _first(tag, 12 + 2 * count)
    values = struct.unpack_from(f">{count}H", cut, 12)
    is_gamma = count == 1 and values[0] <= _LARGEST * 2**8
    if not is_gamma and (count == 1 or any(value > following for value, following in pairwise(values))):
        raise _MalformedTagError
    return cut


def _parametric_curve(tag: bytes) -> bytes:
    (kind,) = struct.unpack_from(">H", tag, _TAG_HEADER)
    if kind >= len(_PARAMETERS):
        raise _MalformedTagError
    cut = _plausible(_first(tag, 12 + 4 * _PARAMETERS[kind]), 12)
    return cut[:10] + bytes(2) + cut[12:]


def _plausible(tag: bytes, start: int) -> bytes:
    """Return a tag of fixed-point numbers (16 bits before and after the point) if plausible for colours."""
    numbers = struct.unpack_from(f">{(len(tag) - start) // 4}i", tag, start)
    if any(abs(number) > _LARGEST * 2**16 for number in numbers):
        raise _MalformedTagError
    return tag


def _table(tag: bytes) -> bytes:
    """Return a lut8Type or a lut16Type."""
    inputs, outputs, points = struct.unpack_from(">3B", tag, _TAG_HEADER)
    _check_channels(inputs, outputs)
    bytes_each, entries, head = 1, (256, 256), _LUT_HEADER
    if tag.startswith(b"mft2"):
        bytes_each, entries, head = 2, struct.unpack_from(">2H", tag, _LUT_HEADER), _LUT_HEADER + 4
    values = entries[0] * inputs + points**inputs * outputs + entries[1] * outputs
    cut = _first(tag, head + bytes_each * values)
    return cut[:11] + bytes(1) + cut[12:]


def _pipeline(tag: bytes) -> bytes:
    """Return a lutAToBType or a lutBToAType, with its elements one after the other."""
    inputs, outputs = struct.unpack_from(">2B", tag, _TAG_HEADER)
    _check_channels(inputs, outputs)
    near, far = (outputs, inputs) if tag.startswith(b"mAB") else (inputs, outputs)  # to the connection space
    readers: tuple[Callable[[bytes], bytes], ...] = (
        lambda data: _curves(data, near),
        lambda data: _cut(data, _MATRIX),
        lambda data: _curves(data, near),
        lambda data: _grid(data, inputs, outputs),
        lambda data: _curves(data, far),
    )
    offsets, elements = [], b""
    for offset, read in zip(struct.unpack_from(">5I", tag, 12), readers, strict=True):
        offsets.append(32 + len(elements) if offset else 0)
        elements += read(tag[offset:]) if offset else b""
    return tag[:4] + bytes(4) + bytes((inputs, outputs, 0, 0)) + struct.pack(">5I", *offsets) + elements


def _curves(data: bytes, count: int) -> bytes:
    """Return this number of curves, each padded to four bytes."""
    curves = b""
    for _ in range(count):
        start = len(curves)
        read = {b"curv": _curve, b"para": _parametric_curve}.get(data[start : start + 4])
        if read is None:
            raise _MalformedTagError
        curve = read(data[start:])
        curves += curve + bytes(-len(curve) % 4)
    return curves


def _grid(data: bytes, inputs: int, outputs: int) -> bytes:
    """Return the multi-dimensional table of a pipeline, padded to four bytes."""
    head = _cut(data, 20)
    points, precision = head[:inputs], head[16]
    if precision not in (1, 2):
        raise _MalformedTagError
    size = 20 + math.prod(points) * outputs * precision
    grid = points + bytes(16 - inputs) + bytes((precision, 0, 0, 0)) + _cut(data, size)[20:]
    return grid + bytes(-size % 4)


def _cut(data: bytes, size: int) -> bytes:
    if len(data) < size:
        raise _MalformedTagError
    return data[:size]


def _check_channels(inputs: int, outputs: int) -> None:
    if not (1 <= inputs <= _MOST_CHANNELS and 1 <= outputs <= _MOST_CHANNELS):
        raise _MalformedTagError


_TYPES: dict[bytes, Callable[[bytes], bytes]] = {
    b"XYZ ": _numbers(3),
    b"sf32": _numbers(9),  # a matrix of 3 by 3
    b"cicp": lambda tag: _first(tag, _TAG_HEADER + 4),
    b"curv": _curve,
    b"para": _parametric_curve,
    b"mft1": _table,
    b"mft2": _table,
    b"mAB ": _pipeline,
    b"mBA ": _pipeline,
}
