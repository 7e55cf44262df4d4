"""Measurements of a grey image: whether it is blurred, and a hash of its appearance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # imported where they are used, so that `import astria_nb` stays fast
    import numpy as np
    from PIL import Image as Pillow

    Grey = np.ndarray[Any, np.dtype[np.uint8]]

_TILE = 48  # pixels a side
_FAINT, _PLAIN = 16, 40  # contrast, of 255, that a tile must exceed to be measured
# Of 26 sharp photos and drawings, some noisy, pale or with a soft background, the softest measured 0.24. With
# a Gaussian blur of 2.5 pixels at 1024 a side, they measured 0.20 at most, and 0.21 with some noise.
_SHARP = 0.21
# Moved by 10 to 16 pixels, 25 photos are below both in the direction of the movement, except a few noisy
# ones. Sharp photos measure at least 0.37, and those of a soft lens are equally soft in each direction.
_SMEARED, _ONE_SIDED = 0.32, 0.6
_DIRECTIONS = ((0, 1, 8), (1, 0, 8), (1, 1, 6), (1, -1, 6))  # down, right, and how often: 8 pixels far
_STEEPEST = _TILE * _TILE // 200  # of a tile's edges; fewer may be noise
_FEW_TILES = 3
_EACH = 8  # every eighth row is enough for the directions
_SLIGHT, _CONTOURS = 2, 16  # of 255; of 64


def perceptual_hash(grey: Pillow.Image) -> int | None:
    """Return 64 bits that are nearly the same for images that look alike (a difference hash).

    The image is reduced to 8 rows of 9 pixels; each bit says whether a pixel is brighter than the one to its
    left. None for an image with so little contrast that most bits would be chance.

    Examples
    --------
    >>> from PIL import Image
    >>> perceptual_hash(Image.linear_gradient("L").rotate(90)) == 2**64 - 1
    True
    """
    from PIL import Image as Pillow

    pixels = grey.resize((9, 8), Pillow.Resampling.BOX).tobytes()
    steps = [pixels[number] - pixels[number - 1] for number in range(72) if number % 9]
    if sum(abs(step) > _SLIGHT for step in steps) < _CONTOURS:
        return None
    bits = 0
    for step in steps:
        bits = bits << 1 | (step > 0)
    return bits


def is_blurry(grey: Pillow.Image) -> bool:
    """Return whether no edges are sharp, or those across one direction are not, as after a movement.

    Examples
    --------
    >>> from PIL import Image
    >>> is_blurry(Image.linear_gradient("L")), is_blurry(Image.effect_noise((256, 256), 80))
    (True, False)
    """
    import numpy as np

    smooth = _median_filter(np.asarray(grey))
    steepness = _steepness(smooth)
    if steepness is None:
        return False
    if steepness < _SHARP:
        return True
    by_direction = [
        rating for direction in _DIRECTIONS if (rating := _steepness_along(smooth, *direction)) is not None
    ]
    return bool(by_direction) and min(by_direction) < min(_SMEARED, _ONE_SIDED * max(by_direction))


def _steepness(smooth: Grey) -> float | None:
    """Return the steepness of the steepest edges relative to the local contrast; None for a plain image.

    This is about the inverse of an edge's width in pixels. Each tile is measured separately: its steepest
    edges except for a few that may be noise. Of all tiles the upper tenth counts, because a portrait with a
    soft background is sharp.
    """
    import numpy as np

    here = smooth[1::2, 1:]  # every other row is enough
    above, left = smooth[:-1:2, 1:], smooth[1::2, :-1]
    edges = np.maximum(_difference(here, above), _difference(here, left))
    rows, columns = edges.shape[0] // (_TILE // 2), edges.shape[1] // _TILE
    if not rows or not columns:
        return None
    values = _tiles(here, rows, columns, _TILE // 2)
    contrast = values.max(-1).astype(np.int16) - values.min(-1)
    # For bytes, `stable` is a radix sort: a tenth of the time of the default.
    steepest = np.sort(_tiles(edges, rows, columns, _TILE // 2), -1, kind="stable")[:, -_STEEPEST // 2]
    measurable = contrast > min(max(_FAINT, contrast.max() / 4), _PLAIN)
    if not measurable.any():
        return None
    return float(np.percentile(steepest[measurable] / (contrast[measurable] + 1), 90))


def _steepness_along(smooth: Grey, down: int, right: int, far: int) -> float | None:
    """Return how much of the change over eight pixels in one direction is in the steepest of them.

    None for an image with too few edges across that direction.
    """
    import numpy as np

    height, width = smooth.shape[0] - far, smooth.shape[1] - 2 * far
    rows, columns = height // _TILE, width // _TILE
    if rows <= 0 or columns <= 0:
        return None
    here = smooth[:height:_EACH, far : far + width]
    there = smooth[down : down + height : _EACH, far + right : far + right + width]
    end = far + right * far
    distant = _tiles(
        _difference(here, smooth[down * far : down * far + height : _EACH, end : end + width]),
        *(rows, columns, _TILE // _EACH),
    )
    near = _tiles(_difference(here, there), rows, columns, _TILE // _EACH)
    change = np.sort(distant, -1, kind="stable")[:, -_STEEPEST // _EACH].astype(np.int16)
    measurable = change > min(max(_FAINT, change.max() / 4), _PLAIN)
    if measurable.sum() < _FEW_TILES:
        return None
    steepest = np.sort(near[measurable], -1, kind="stable")[:, -_STEEPEST // _EACH]
    return float(np.percentile(steepest / (change[measurable] + 1), 90))


def _median_filter(grey: Grey) -> Grey:
    """Remove specks: the median of three pixels by rows, then by columns."""
    lines = _median(grey[:-2], grey[1:-1], grey[2:])
    return _median(lines[:, :-2], lines[:, 1:-1], lines[:, 2:])


def _median(a: Grey, b: Grey, c: Grey) -> Grey:
    import numpy as np

    return np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))


def _difference(a: Grey, b: Grey) -> Grey:
    import numpy as np

    return np.maximum(a, b) - np.minimum(a, b)


def _tiles(values: Grey, rows: int, columns: int, height: int = _TILE) -> Grey:
    cropped = values[: rows * height, : columns * _TILE].reshape(rows, height, columns, _TILE)
    return cropped.swapaxes(1, 2).reshape(rows * columns, height * _TILE)
