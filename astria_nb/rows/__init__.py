"""The API's JSON as typed pandas rows, and rows that come back from files, databases and other libraries."""

from astria_nb.rows._columns import are_prompts
from astria_nb.rows._flat import flat
from astria_nb.rows._prompts import ids_in, picture_urls, prompt_frame, prompt_status, tune_id_of
from astria_nb.rows._schemas import LABEL_SCHEMA, LOG_SCHEMA, OWN_COLUMNS, PROMPT_SCHEMA, TUNE_SCHEMA
from astria_nb.rows._tunes import (
    check_frames,
    own_fields,
    tune_frame,
    tune_status,
    tune_table,
    with_expiry,
)
from astria_nb.rows._typed import Rows, typed

__all__ = [
    "LABEL_SCHEMA",
    "LOG_SCHEMA",
    "OWN_COLUMNS",
    "PROMPT_SCHEMA",
    "TUNE_SCHEMA",
    "Rows",
    "are_prompts",
    "check_frames",
    "flat",
    "ids_in",
    "own_fields",
    "picture_urls",
    "prompt_frame",
    "prompt_status",
    "tune_frame",
    "tune_id_of",
    "tune_status",
    "tune_table",
    "typed",
    "with_expiry",
]
