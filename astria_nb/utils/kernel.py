"""Whether this process is the kernel of a notebook."""

from __future__ import annotations

import sys
from typing import Any


def kernel_shell() -> Any:
    """Return the IPython shell of a notebook's kernel, or None in a terminal or a script."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return None if getattr(shell, "kernel", None) is None else shell
