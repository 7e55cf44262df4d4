"""Measurements of a grey image: its sharpness, and a hash of what it looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # imported where they are used, so that `import astria_nb` stays fast
    import numpy as np
    from PIL import Image as Pillow

    Grey = np.ndarray[Any, np.dtype[np.uint8]]

_TILE = 48  # pixels a side
_FAINT, _PLAIN = 16, 40  # contrast, of 255, that a tile must exceed to be measured


def perceptual_hash(grey: Pillow.Image) -> int:
    """Return 64 bits that are nearly the same for images that look alike (a difference hash).

    The image is reduced to 8 rows of 9 pixels; each bit says whether a pixel is brighter than the one to its
    left.

    Examples
    --------
    >>> from PIL import Image
    >>> perceptual_hash(Image.linear_gradient("L").rotate(90)) == 2**64 - 1
    True
    """
    from PIL import Image as Pillow

    pixels = grey.resize((9, 8), Pillow.Resampling.BOX).tobytes()
    bits = 0
    for number in range(72):
        if number % 9:
            bits = bits << 1 | (pixels[number] > pixels[number - 1])
    return bits


def sharpness(grey: Pillow.Image) -> float | None:
    """Return the steepness of the steepest edges relative to the local contrast; None for a plain image.

    This is about the inverse of an edge's width in pixels. Each tile is measured by itself: its steepest
    edges except for a few that may be noise. Of all tiles the upper tenth counts, because a portrait with a
    soft background is sharp.

    Examples
    --------
    >>> from PIL import Image
    >>> sharpness(Image.linear_gradient("L")) < 0.05 < sharpness(Image.effect_noise((256, 256), 80))
    True
    """
    import numpy as np

    smooth = _median_filter(np.asarray(grey))
    edges = np.maximum(
        _difference(smooth[1:, 1:], smooth[:-1, 1:]), _difference(smooth[1:, 1:], smooth[1:, :-1])
    )
    rows, columns = (length // _TILE for length in edges.shape)
    if not rows or not columns:
        return None
    values = _tiles(smooth[1:, 1:], rows, columns)
    contrast = values.max(-1).astype(np.int16) - values.min(-1)
    # For bytes, `stable` is a radix sort: a tenth of the time of the default.
    steepest = np.sort(_tiles(edges, rows, columns), -1, kind="stable")[:, -_TILE * _TILE // 200]
    measurable = contrast > min(max(_FAINT, contrast.max() / 4), _PLAIN)
    if not measurable.any():
        return None
    return float(np.percentile(steepest[measurable] / (contrast[measurable] + 1), 90))


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


def _tiles(values: Grey, rows: int, columns: int) -> Grey:
    cropped = values[: rows * _TILE, : columns * _TILE].reshape(rows, _TILE, columns, _TILE)
    return cropped.swapaxes(1, 2).reshape(rows * columns, _TILE * _TILE)
