"""Lets pandas see a notebook's shell when it is imported, on any thread and at any time.

pandas decides at its import how many columns of a frame it shows, based on ``get_ipython``, which IPython
provides to modules only while a cell runs. Our threads import pandas while a form is displayed, and widgets
import it when they are clicked; without a shell, pandas takes the notebook for a terminal from then on.
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
    """Make a later import of pandas behave as in a cell, if this is a notebook's kernel."""
    if "pandas" not in sys.modules and _FINDER not in sys.meta_path and notebook_shell() is not None:
        # It is not removed: another thread that is looking for a module would skip the finder after it.
        sys.meta_path.insert(0, _FINDER)


class _Finder(MetaPathFinder):
    """Finds the module of pandas that looks for the shell."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the specification of that module; None for any other."""
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
