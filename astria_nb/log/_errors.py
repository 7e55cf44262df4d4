"""Errors of SQLite and the operating system as a `LogError` in plain words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from astria_nb.errors import LogError, ProblemKind
from astria_nb.log import _access as access
from astria_nb.log._checksums import DamagedError

_REPAIR = (
    "keep it for repair (sqlite3 .recover), and use a copy from before, or choose another file: titles are "
    "looked for on your account before they are sent"
)


class NoSubmissionError(LogError, KeyError):
    """A log has no submission with a certain number."""


@contextmanager
def log_errors(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and the operating system into a `LogError`."""
    try:
        yield
        return
    except (sqlite3.Error, OSError, DamagedError) as error:
        cause: Exception = error
    except UnicodeDecodeError:  # raised by Python for a message of SQLite that quotes damaged text
        cause = DamagedError("its tables are not as written")
    refuse(path, *_explain(path, cause), kind="conflict" if is_busy(cause) else "invalid")


def refuse(path: Path, what: str, hint: str, kind: ProblemKind = "invalid") -> NoReturn:
    """Raise a `LogError` about a log file: what is wrong with it, and what to do."""
    raise LogError(replace(access.problem_of(path, what, hint), kind=kind)) from None


def _explain(path: Path, cause: Exception) -> tuple[str, str]:
    if isinstance(cause, OSError):
        return access.explain(path, cause)
    if isinstance(cause, DamagedError):
        return f"is damaged: {cause}", _REPAIR
    name, message = getattr(cause, "sqlite_errorname", None) or "", str(cause)
    if name.startswith("SQLITE_FULL"):
        return "cannot grow: the disk is full", "free some space, then try again"
    if name.startswith("SQLITE_IOERR"):
        return (
            f"cannot be written or read ({message}: {name})",
            "check the disk, its free space and your quota",
        )
    if is_busy(cause):
        return "stayed locked by another program", "close the program that uses it, then try again"
    if name == "SQLITE_READONLY_DBMOVED":
        return "was deleted, moved or replaced while it was written", "try again"
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return access.READ_ONLY
    # The message alone shows text that is not UTF-8: Python's error has no code of SQLite, and that of a
    # function in SQL has the code of any error.
    is_no_text = message.startswith(("Could not decode to UTF-8", "user-defined function raised"))
    if is_no_text or name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return "is damaged", _REPAIR
    return f"cannot be used ({message})", "check the file, or choose another one"


def is_busy(cause: Exception) -> bool:
    """Return whether another program uses the file: it may be free a moment later."""
    name = getattr(cause, "sqlite_errorname", None) or ""
    return name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
