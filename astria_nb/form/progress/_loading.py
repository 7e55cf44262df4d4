"""Modules that a form needs once it is used, loaded while the user looks at it.

Importing pandas takes as long as everything that a form needs at first.
"""

from __future__ import annotations

from functools import cache

from astria_nb.utils.imports import import_whole, load_libraries

_MODULES = (
    "astria_nb.form._row_html",
    "astria_nb.form.progress._training",
    "astria_nb.results.frames",
    "astria_nb.submission._exactly_once",
)


@cache  # counting frozen objects takes a while if there are many
def load() -> None:
    """Import the modules that follow a submission, so that a later import returns at once."""
    load_libraries("pyarrow", "lib")
    from astria_nb import rows  # noqa: F401  first: if pandas does not fit, this says so

    for name in _MODULES:
        import_whole(name)
