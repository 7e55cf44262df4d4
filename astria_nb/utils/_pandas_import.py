"""Lets pandas see a notebook's shell when it is imported, whichever thread does that, and whenever.

pandas decides at its import how many columns of a frame it shows, by ``get_ipython``, which IPython lends to
all modules only while a cell runs. Our threads import pandas while somebody looks at a form, and widgets do
so when they are clicked on; without a shell, it takes the notebook for a terminal from then on.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

from astria_nb.utils.kernel import notebook_shell

_MODULE = "pandas.core.config_init"


def show_shell_to_pandas() -> None:
    """Let pandas be imported as within a cell, if this is a notebook's kernel and pandas is not loaded."""
    if "pandas" not in sys.modules and _FINDER not in sys.meta_path and notebook_shell() is not None:
        # It is left there: another thread that looks for a module meanwhile would skip one that follows it.
        sys.meta_path.insert(0, _FINDER)


class _Finder(MetaPathFinder):
    """Finds the module of pandas that asks for the shell."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the specification of that module, and None of any other."""
        spec = PathFinder.find_spec(fullname, path) if fullname == _MODULE else None
        if spec is None or not isinstance(spec.loader, SourceFileLoader):
            return None
        spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        vars(module)["get_ipython"] = notebook_shell
        super().exec_module(module)


_FINDER = _Finder()
