"""How images are prepared for upload."""

from __future__ import annotations

from dataclasses import dataclass

from astria_nb.errors import Problem, TuneError
from astria_nb.utils.formatting import short

_MIN_SIDE, _MAX_SIDE = 512, 16384


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How images are prepared for upload. The files on disk are not changed.

    Parameters
    ----------
    keep_metadata : bool
        Upload files with all their metadata, and under their own names. By default location, time, camera,
        names and captions are removed, without changing a pixel, and they are called ``1.jpg``, ``2.jpg``.
    max_side : int, optional
        Pixels, at least 512: larger images are scaled down to this length of the longer side, and uploaded
        without metadata as JPEG (PNG if they have transparency). Default: no limit.
    keep_damaged : bool
        Upload files whose picture cannot be decoded to its end. By default they are refused.

    Raises
    ------
    TuneError
        `max_side` is not a valid number of pixels.

    Examples
    --------
    >>> Preprocessing(max_side=100)
    Traceback (most recent call last):
    astria_nb.errors.TuneError: max_side: 100 is not a number of pixels (512 to 16384); give one such as 2048
    """

    keep_metadata: bool = False
    max_side: int | None = None
    keep_damaged: bool = False

    def __post_init__(self) -> None:
        side = self.max_side
        if side is None or (type(side) is int and _MIN_SIDE <= side <= _MAX_SIDE):
            return
        what = f"{short(side)} is not a number of pixels ({_MIN_SIDE} to {_MAX_SIDE})"
        raise TuneError(Problem("max_side", what, "give one such as 2048"))


UNCHANGED = Preprocessing(keep_metadata=True)
"""Upload every file as it is."""
