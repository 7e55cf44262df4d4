"""Imports of slow modules: not cut short by an interrupt, and with garbage collection paused."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.machinery import PathFinder
from types import ModuleType

from astria_nb.utils._pandas_import import show_shell_to_pandas
from astria_nb.utils.interrupts import shielded


def import_whole(name: str) -> ModuleType:
    """Import a module. An interrupted import would leave it broken until the kernel is restarted.

    Parameters
    ----------
    name : str

    Examples
    --------
    >>> import_whole("astria_nb.utils.imports").__name__
    'astria_nb.utils.imports'
    """
    return shielded(_imported, name)


def load_libraries(package: str, extension: str) -> None:
    """Load the shared libraries of a package that is imported next, while other threads run.

    Python's own import of an extension module blocks all other threads until its libraries are loaded, which
    are 70 MB for pyarrow. Errors are ignored here: the import reports them.

    Parameters
    ----------
    package : str
    extension : str
        The name, in the package, of its extension module that needs these libraries.
    """
    if package in sys.modules or not hasattr(os, "RTLD_NOW"):  # not on Windows
        return
    with suppress(ImportError, OSError, AttributeError):  # a Python without ctypes, or linked statically
        import ctypes  # slow, and loaded with numpy anyway

        spec = PathFinder.find_spec(package)
        module = spec and PathFinder.find_spec(extension, spec.submodule_search_locations)
        if module and module.origin:
            # A call of a C function lets other threads run; `ctypes.CDLL(path)` of Python 3.11 does not.
            ctypes.CDLL(None).dlopen(os.fsencode(module.origin), sys.getdlopenflags())


def _imported(name: str) -> ModuleType:
    if name in sys.modules:  # perhaps another thread has to finish it
        return import_module(name)
    show_shell_to_pandas()
    with _no_collections():
        return import_module(name)


@contextmanager
def _no_collections() -> Iterator[None]:
    """Pause garbage collection during imports: modules create many objects, and hardly any garbage.

    The collector would go through the new objects several times, and through all objects once there are a
    quarter more, as when pandas is imported. That takes a tenth of the time, and delays a user who is typing.
    """
    if not gc.isenabled() or gc.get_freeze_count():  # the program controls collection itself
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        # Together these mark the new objects as old, so that the next collection of young objects skips them.
        gc.freeze()
        gc.unfreeze()
        gc.enable()
