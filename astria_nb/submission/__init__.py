"""Paying only once: `submit` and the engine behind it, recovery, and the experiment log."""

from astria_nb.submission._address_remarks import remarks_on
from astria_nb.submission._engine import submit_once
from astria_nb.submission._options import PACK_MAX_AGE_SECONDS, Repeat, SubmitOptions
from astria_nb.submission._repeats import RepeatedRequest
from astria_nb.submission._submit import submit

__all__ = [
    "PACK_MAX_AGE_SECONDS",
    "Repeat",
    "RepeatedRequest",
    "SubmitOptions",
    "remarks_on",
    "submit",
    "submit_once",
]
