"""The kernel of a notebook, if this process is one."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from typing import Any


def kernel_shell() -> Any:
    """Return the IPython shell of a notebook's kernel, or None in a terminal or a script."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return None if getattr(shell, "kernel", None) is None else shell


def notebook_shell() -> Any:
    """Return the IPython shell of a kernel whose outputs are saved in a notebook, or None.

    Solara imitates a kernel for the page of an app, which is not saved.
    """
    shell = kernel_shell()
    return None if type(shell).__module__.partition(".")[0] == "solara" else shell


def after_each_cell(method: Callable[[], None]) -> None:
    """Call a bound method after each cell of a notebook, as long as its object lives.

    Parameters
    ----------
    method : callable
        Outside a notebook it is never called.
    """
    shell = notebook_shell()
    if shell is None:
        return
    reference = weakref.WeakMethod(method)

    def call(*_: Any) -> None:
        if (living := reference()) is not None:
            living()
        else:
            shell.events.unregister("post_run_cell", call)

    shell.events.register("post_run_cell", call)
