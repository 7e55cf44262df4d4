"""Importing what takes long: no interrupt cuts it short, and Python looks for no garbage meanwhile."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

from astria_nb.utils.interrupts import shielded


def import_whole(name: str) -> ModuleType:
    """Import a module. One whose import was interrupted would stay broken until the kernel is restarted.

    Parameters
    ----------
    name : str

    Examples
    --------
    >>> import_whole("astria_nb.utils.imports").__name__
    'astria_nb.utils.imports'
    """
    return shielded(_imported, name)


def _imported(name: str) -> ModuleType:
    if name in sys.modules:  # perhaps another thread has to finish it
        return import_module(name)
    with _no_collections():
        return import_module(name)


@contextmanager
def _no_collections() -> Iterator[None]:
    """Let Python look for no garbage: modules make many objects, and hardly any garbage.

    It would look through the new objects several times, and through all that there are once there are a
    quarter more, as when pandas is imported. That takes a tenth of the time, and holds up whoever types
    meanwhile.
    """
    if not gc.isenabled() or gc.get_freeze_count():  # somebody else decides on that
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        # Both together make the new objects old ones, which the next look at young ones skips.
        gc.freeze()
        gc.unfreeze()
        gc.enable()
