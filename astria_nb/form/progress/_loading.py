"""What a form needs once it is used, loaded while its reader looks at it.

pandas takes as long to import as all that a form shows at first.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module

from astria_nb.utils.interrupts import shielded

_MODULES = (
    "astria_nb.form._row_html",
    "astria_nb.form.progress._training",
    "astria_nb.results.frames",
    "astria_nb.submission._exactly_once",
)


@cache  # to count frozen objects takes a while, if there are many
def load() -> None:
    """Import what follows a submission; afterwards, an import of it returns at once."""
    with _short_collections():
        from astria_nb import rows  # noqa: F401  first: if pandas does not fit, this says so

        for name in _MODULES:
            # A module whose import was interrupted would stay broken until the kernel is restarted.
            shielded(import_module, name)


@contextmanager
def _short_collections() -> Iterator[None]:
    """Let Python look for garbage among new objects only.

    It looks through all objects once there are a quarter more, as when pandas is imported. That takes so long
    that the reader's typing would be held up.
    """
    if gc.get_freeze_count():  # somebody has frozen objects for good
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
