"""The rules of each request: they turn its fields into a plan."""

from astria_nb.sandbox.validation._fields import Fields, is_url, shortened
from astria_nb.sandbox.validation._inspection import inspect, inspect_url
from astria_nb.sandbox.validation._pack_run import read_run
from astria_nb.sandbox.validation._tunes import read_changes, read_prompt, read_tune

__all__ = [
    "Fields",
    "inspect",
    "inspect_url",
    "is_url",
    "read_changes",
    "read_prompt",
    "read_run",
    "read_tune",
    "shortened",
]
