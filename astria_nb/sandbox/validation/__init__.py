"""The rules of each request: they turn its fields into a plan."""

from astria_nb.sandbox.validation._fields import Fields, is_url, shortened
from astria_nb.sandbox.validation._inspection import inspect, inspect_url
from astria_nb.sandbox.validation._pack_run import read_run
from astria_nb.sandbox.validation._themes import read_theme
from astria_nb.sandbox.validation._tunes import (
    read_changes,
    read_copy,
    read_prompt,
    read_prompt_changes,
    read_tune,
)

__all__ = [
    "Fields",
    "inspect",
    "inspect_url",
    "is_url",
    "read_changes",
    "read_copy",
    "read_prompt",
    "read_prompt_changes",
    "read_run",
    "read_theme",
    "read_tune",
    "shortened",
]
