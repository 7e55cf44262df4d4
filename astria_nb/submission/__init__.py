"""Paying only once: `submit` and the engine behind it, recovery, and the experiment log."""

from astria_nb.submission._address_remarks import remarks_on
from astria_nb.submission._engine import submit_once
from astria_nb.submission._in_progress import is_left_open
from astria_nb.submission._options import PACK_MAX_AGE_SECONDS, Repeat, SubmitOptions
from astria_nb.submission._recovery import recover
from astria_nb.submission._repeats import RepeatedRequest
from astria_nb.submission._submit import submit

__all__ = [
    "PACK_MAX_AGE_SECONDS",
    "Repeat",
    "RepeatedRequest",
    "SubmitOptions",
    "is_left_open",
    "recover",
    "remarks_on",
    "submit",
    "submit_once",
]
