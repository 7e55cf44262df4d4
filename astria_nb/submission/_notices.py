"""What a submission tells its user beside the row: as a warning, or in the form."""

from __future__ import annotations

import sys
import warnings
from datetime import UTC, datetime
from pathlib import Path

from astria_nb.client import Json
from astria_nb.utils.formatting import short

_PACKAGE = str(Path(__file__).parents[1])


def warn(text: str) -> None:
    """Warn at the line that called this package, each time: a cell that runs again is warned again."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    # Without a registry, Python does not keep a repeated warning back; the user's filters still apply.
    warnings.warn_explicit(text, UserWarning, frame.f_code.co_filename, frame.f_lineno)


def title_is_taken(tune: Json) -> str:
    """Return the notice that a title is on the account, and was not in the log."""
    return (
        f"the title {short(tune.get('title'))} is on your account already: tune {tune['id']}{_made(tune)}. "
        "Nothing was sent; this is its row, and the log has it from here on. Give another title to train "
        "again"
    )


def _made(tune: Json) -> str:
    try:
        made = datetime.fromisoformat(str(tune.get("created_at"))).astimezone(UTC)
    except (OverflowError, ValueError):
        return ""
    return f", made on {made:%Y-%m-%d at %H:%M} UTC"
