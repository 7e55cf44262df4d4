"""Warnings at the user's own line."""

from __future__ import annotations

import logging
import sys
import warnings
from contextlib import suppress
from pathlib import Path

from astria_nb.errors import printable
from astria_nb.utils.interrupts import in_caller

_PACKAGE = str(Path(__file__).parents[1])
_log = logging.getLogger(__name__)


@in_caller
def warn(text: str, *, is_paid: bool = False) -> None:
    """Warn at the line that called this package, each time: a cell that runs again is warned again.

    It is not a failure if the warning cannot be shown, for example on a closed stream.

    Parameters
    ----------
    text : str
    is_paid : bool
        Do not raise, even if warnings are errors: the caller is about to return what was paid for.
    """
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    try:
        # Without a registry, Python shows repeated warnings; the user's filters still apply.
        warnings.warn_explicit(printable(text), UserWarning, frame.f_code.co_filename, frame.f_lineno)
    except Exception as error:
        if isinstance(error, UserWarning) and not is_paid:
            raise
        with suppress(Exception):
            _log.warning("%s", text)
