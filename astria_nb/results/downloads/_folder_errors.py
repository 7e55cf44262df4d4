"""Errors of the disk, converted to errors about the folder with a next step."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from astria_nb.errors import AstriaError, Problem
from astria_nb.utils.formatting import quoted
from astria_nb.utils.redaction import redact_name

_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)
_DISK_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)


@contextmanager
def folder_errors(path: Path) -> Iterator[None]:
    """Turn an `OSError` into an error that says what to do.

    Parameters
    ----------
    path : Path
        The folder that is used.

    Raises
    ------
    AstriaError
        Field ``folder``.
    """
    try:
        yield
        return
    except OSError as error:
        code, reason = error.errno, error.strerror or str(error)
    hint = f"choose another one, or {'fix its permissions' if code in _NOT_ALLOWED else 'check its disk'}"
    if code in _DISK_FULL:
        hint = "free some space and call it again; the files in it are kept"
    elif os.path.isfile(path):  # noqa: PTH113  pathlib raises if the disk cannot be asked
        reason, hint = "it is a file", "give a folder"
    raise AstriaError(Problem("folder", f"{quoted(redact_name(str(path)))} cannot be used ({reason})", hint))
