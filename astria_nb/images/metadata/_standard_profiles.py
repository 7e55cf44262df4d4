"""Colour profiles for pictures that describe their colours by numbers or by a name instead."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from astria_nb.images.metadata._colour_profile import profile_of_tags
from astria_nb.images.metadata._tiff import entries

if TYPE_CHECKING:
    import numpy as np

    NDArray = np.ndarray[Any, np.dtype[np.float64]]

Chromaticities = Sequence[float]
"""x and y of white, red, green and blue, as in a PNG's cHRM."""

SRGB_PRIMARIES = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
ADOBE_RGB = ((0.3127, 0.329, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06), 563 / 256)
"""Chromaticities and gamma."""
PRIMARIES: dict[int, Chromaticities] = {
    1: SRGB_PRIMARIES,
    4: (0.31, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (0.3127, 0.329, 0.64, 0.33, 0.29, 0.6, 0.15, 0.06),
    6: (0.3127, 0.329, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    7: (0.3127, 0.329, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    9: (0.3127, 0.329, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    12: (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
}
"""Chromaticities by their code point (ITU-T H.273)."""
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}
"""Curves by the code point of the transfer characteristics; others for still pictures mean sRGB's curve."""
PQ, HLG = 16, 18
_TO_INTEROPERABILITY, _INDEX, _ADOBE_RGB_INDEX = (0x8769, 0xA005), 1, b"R03\0"  # of EXIF data
_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


def to_xyz(chromaticities: Chromaticities) -> NDArray:
    """Return the matrix from linear RGB to XYZ, adapted to D50."""
    import numpy as np

    white, *primaries = _in_xyz(chromaticities)
    columns = np.array(primaries).T
    matrix: NDArray = bradford_adaptation(chromaticities) @ (columns * np.linalg.solve(columns, white))
    return matrix


def bradford_adaptation(chromaticities: Chromaticities) -> NDArray:
    """Return the matrix that adapts XYZ from a white point to D50, with the Bradford method."""
    import numpy as np

    cones = np.array(_BRADFORD)
    gain = (cones @ _D50) / (cones @ np.array(_in_xyz(chromaticities)[0]))
    matrix: NDArray = np.linalg.inv(cones) @ np.diag(gain) @ cones
    return matrix


def _in_xyz(chromaticities: Chromaticities) -> list[tuple[float, float, float]]:
    pairs = zip(chromaticities[::2], chromaticities[1::2], strict=True)
    return [(x / y, 1.0, (1 - x - y) / y) for x, y in pairs]


def profile(
    chromaticities: Chromaticities, curve: float | Sequence[float], *, is_grey: bool = False
) -> bytes:
    """Return an ICC profile.

    Parameters
    ----------
    chromaticities : sequence of float
    curve : float or sequence of float
        A gamma, or the parameters of a curve of the ICC's kind 3.
    is_grey : bool
    """
    numbers = (curve,) if isinstance(curve, float | int) else tuple(curve)
    kind = 0 if len(numbers) == 1 else 3
    transfer = b"para" + struct.pack(">4xHxx", kind) + _fixed(*numbers)
    if is_grey:
        return profile_of_tags(b"GRAY", {b"wtpt": _xyz(*_D50), b"kTRC": transfer})
    adapted = b"sf32" + bytes(4) + _fixed(*bradford_adaptation(chromaticities).ravel())
    tags = {b"wtpt": _xyz(*_D50), b"chad": adapted}
    for name, column in zip((b"r", b"g", b"b"), to_xyz(chromaticities).T, strict=True):
        tags |= {name + b"XYZ": _xyz(*column), name + b"TRC": transfer}
    return profile_of_tags(b"RGB ", tags)


def is_adobe_rgb(tiff_data: bytes) -> bool:
    """Return whether EXIF data says that colours are Adobe RGB, as cameras record it (DCF 2.0).

    Parameters
    ----------
    tiff_data : bytes
        Beginning with its byte order.
    """
    return entries(tiff_data, *_TO_INTEROPERABILITY).get(_INDEX, b"")[6:] == _ADOBE_RGB_INDEX


@cache
def adobe_rgb() -> bytes:
    """Return the profile of Adobe RGB."""
    return profile(*ADOBE_RGB)


def _fixed(*numbers: float) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))


def _xyz(*numbers: float) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(*numbers)
