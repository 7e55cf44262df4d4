"""Importing what takes long: no interrupt cuts it short, and Python looks for no garbage meanwhile."""

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


def load_libraries(package: str, extension: str) -> None:
    """Load the shared libraries of a package that is imported next, while other threads run.

    Python's own import of an extension module lets no other thread run until its libraries are loaded, which
    are 70 MB of pyarrow's. Whatever fails here is left to the import, which says what it was.

    Parameters
    ----------
    package : str
    extension : str
        The name, in the package, of its extension module that needs these libraries.
    """
    if package in sys.modules or not hasattr(os, "RTLD_NOW"):  # there is none on Windows
        return
    with suppress(ImportError, OSError, AttributeError):  # a Python without ctypes, or linked statically
        import ctypes  # takes a while, and is loaded with numpy in any case

        spec = PathFinder.find_spec(package)
        module = spec and PathFinder.find_spec(extension, spec.submodule_search_locations)
        if module and module.origin:
            # Called as a function of C, which lets others run; `ctypes.CDLL(path)` of Python 3.11 does not.
            ctypes.CDLL(None).dlopen(os.fsencode(module.origin), sys.getdlopenflags())


def _imported(name: str) -> ModuleType:
    if name in sys.modules:  # perhaps another thread has to finish it
        return import_module(name)
    show_shell_to_pandas()
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
