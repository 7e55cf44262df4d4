"""Whether a log's file can be used, checked without opening or creating it, and explained if not."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from astria_nb.errors import Problem
from astria_nb.utils.formatting import quoted
from astria_nb.utils.redaction import redact_name

ELSEWHERE = "name another file with ASTRIA_NB_LOG or log=anb.ExperimentLog(path)"
"""The next step in Python code; the command line has an option instead."""
READ_ONLY = "cannot be written: it or its folder is read-only", f"fix the permissions, or {ELSEWHERE}"


def problem_of(path: Path, what: str, hint: str) -> Problem:
    """Return a problem with a log's file."""
    return Problem("log", f"{quoted(redact_name(str(path)))} {what}", hint)


def explain(path: Path, error: OSError) -> tuple[str, str]:
    """Return what is wrong with a log's file and what to do, after an error of the operating system."""
    if isinstance(error, PermissionError):
        if _is_of_another_user(path):
            return "belongs to another user", ELSEWHERE
        return READ_ONLY
    if isinstance(error, FileNotFoundError):
        folder = quoted(redact_name(str(path.parent)))
        return f"cannot be created: there is no folder {folder}", f"create it, or {ELSEWHERE}"
    return f"cannot be opened ({error.strerror or error})", ELSEWHERE


def exists(path: Path) -> bool:
    """Return whether there is such a file.

    Raises
    ------
    OSError
        Its disk cannot be accessed.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def find_problem(path: Path) -> Problem | None:
    """Return what prevents writing to a log, or None; nothing is opened, created or changed."""
    try:
        if exists(path):
            if not stat.S_ISREG(path.stat().st_mode):
                return problem_of(path, "is not a file", ELSEWHERE)
            is_usable = _has_access(path, os.R_OK | os.W_OK)
        else:
            path.parent.stat()
            is_usable = _has_access(path.parent, os.W_OK | os.X_OK)
        if is_usable:
            return None
        what, hint = explain(path, PermissionError())
    except OSError as error:
        what, hint = explain(path, error)
    return problem_of(path, what, hint)


def _has_access(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def _is_of_another_user(path: Path) -> bool:
    try:
        return sys.platform != "win32" and path.stat().st_uid != os.geteuid()
    except OSError:
        return False
