"""Removal of a folder that may not exist, or whose disk may be gone."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path


def remove_tree(path: Path) -> None:
    """Remove a folder with everything in it, as far as possible.

    Parameters
    ----------
    path : Path
    """
    with suppress(OSError):  # until Python 3.12, ignore_errors does not cover fstat
        shutil.rmtree(path, ignore_errors=True)
