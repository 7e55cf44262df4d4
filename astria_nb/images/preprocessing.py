"""What is done to images before they are sent."""

from __future__ import annotations

from dataclasses import dataclass

from astria_nb.errors import Problem, TuneError
from astria_nb.utils.formatting import short

_LEAST_SIDE, _MOST_SIDE = 512, 16384


@dataclass(frozen=True, slots=True)
class Treatment:
    """What is done to images before they are sent; files on the disk stay as they are.

    Parameters
    ----------
    keep_metadata : bool
        Send a file with all that it tells beside its picture. By default place, time, camera, names and words
        are left out, which changes no pixel.
    max_side : int, optional
        Pixels, from 512 on: a picture with a longer side is made smaller, and sent as a JPEG (a PNG where it
        is transparent) without metadata.

    Raises
    ------
    TuneError
        For a `max_side` that is none.

    Examples
    --------
    >>> Treatment(max_side=100)
    Traceback (most recent call last):
    astria_nb.errors.TuneError: max_side: 100 is not a number of pixels from 512 on; give one such as 2048
    """

    keep_metadata: bool = False
    max_side: int | None = None

    def __post_init__(self) -> None:
        side = self.max_side
        if side is None or (type(side) is int and _LEAST_SIDE <= side <= _MOST_SIDE):
            return
        what = f"{short(side)} is not a number of pixels from {_LEAST_SIDE} on"
        raise TuneError(Problem("max_side", what, "give one such as 2048"))


UNTREATED = Treatment(keep_metadata=True)
"""Every file as it is."""
