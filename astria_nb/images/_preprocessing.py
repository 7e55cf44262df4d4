"""How images are prepared for upload."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

from astria_nb.errors import Problem, TuneError
from astria_nb.utils.arguments import check_bool
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
    AstriaError
        A switch is not True or False.

    Examples
    --------
    >>> Preprocessing(max_side=100)
    Traceback (most recent call last):
    astria_nb.errors.TuneError: max_side: 100 is not a number of pixels (512 to 16384); give one such as 2048
    """

    keep_metadata: bool = False
    max_side: int | None = None
    keep_damaged: bool = False

    @classmethod
    def taken_from(cls, values: dict[str, Any]) -> Self:
        """Return what values among others say, which lose it; what they do not say is as by default.

        Examples
        --------
        >>> values = {"pack": 43, "max_side": 2048}
        >>> Preprocessing.taken_from(values), values
        (Preprocessing(keep_metadata=False, max_side=2048, keep_damaged=False), {'pack': 43})
        """
        return cls(**{name: values.pop(name) for name in PREPROCESSING_NAMES if name in values})

    def __post_init__(self) -> None:
        for name in ("keep_metadata", "keep_damaged"):
            object.__setattr__(self, name, check_bool(name, getattr(self, name)))
        side = self.max_side
        if side is None or (type(side) is int and _MIN_SIDE <= side <= _MAX_SIDE):
            return
        what = f"{short(side)} is not a number of pixels ({_MIN_SIDE} to {_MAX_SIDE})"
        raise TuneError(Problem("max_side", what, "give one such as 2048"))


PREPROCESSING_NAMES = tuple(field.name for field in fields(Preprocessing))
"""The names of the options; the calls that take them have parameters of these names."""
UNCHANGED = Preprocessing(keep_metadata=True)
"""Upload every file as it is."""
