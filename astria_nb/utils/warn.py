"""Warnings at the user's own line."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

from astria_nb.utils.interrupts import in_caller

_PACKAGE = str(Path(__file__).parents[1])


@in_caller
def warn(text: str) -> None:
    """Warn at the line that called this package, each time: a cell that runs again is warned again.

    Parameters
    ----------
    text : str
    """
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    # Without a registry, Python does not keep a repeated warning back; the user's filters still apply.
    warnings.warn_explicit(text, UserWarning, frame.f_code.co_filename, frame.f_lineno)
