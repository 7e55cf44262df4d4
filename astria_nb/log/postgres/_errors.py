"""Errors of PostgreSQL in plain words."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

import psycopg
from psycopg import errors
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from astria_nb.errors import LogError, Problem, ProblemKind
from astria_nb.log._checksums import DamagedError
from astria_nb.log._server_address import ServerAddress

_SOURCES = (
    "a password comes from the address, from PGPASSWORD or from ~/.pgpass; a copy of the log in another "
    "process does not carry it"
)
_ADDRESS = f"check host, port, user and database, and that the server runs; {_SOURCES}"
_AGAIN = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.UniqueViolation,
    errors.ForeignKeyViolation,
)
_TEXTS: tuple[tuple[type[psycopg.Error], str, str], ...] = (
    (
        errors.InsufficientPrivilege,
        "may not be used by this user",
        "ask its owner for CREATE on the database, or for the rights on schema astria_nb and its tables",
    ),
    (
        errors.ReadOnlySqlTransaction,
        "cannot be written: the server is a read-only copy",
        "give the address of the primary server",
    ),
    (
        errors.ProgramLimitExceeded,
        "cannot store such a long title or service",
        "choose a title of at most 600 characters",
    ),
    (errors.DiskFull, "cannot grow: the server's disk is full", "free some space there, then try again"),
    (
        errors.TooManyConnections,
        "has no connection left for this process",
        "close other programs that use the server, or raise its max_connections",
    ),
    (errors.LockNotAvailable, "stayed locked by another program", "end what locks it, then try again"),
    (errors.QueryCanceled, "did not answer in time", "try again, or ask the server's owner what holds it up"),
    (
        errors.UndefinedTable,
        "lacks tables that it had",
        "restore them from a backup, or give another database; titles are looked for on your account",
    ),
)


def is_gone(cause: Exception) -> bool:
    """Return whether the connection is lost or missing: uncommitted changes are rolled back."""
    if isinstance(cause, errors.AdminShutdown | errors.CrashShutdown | errors.CannotConnectNow):
        return True
    # The library's own errors have no SQLSTATE.
    is_of_library = isinstance(cause, psycopg.OperationalError) and cause.sqlstate is None
    return is_of_library or (cause.sqlstate or "")[:2] == "08" if isinstance(cause, psycopg.Error) else False


def is_in_the_way(cause: Exception) -> bool:
    """Return whether another transaction prevented this one from being committed: it may be run again."""
    return isinstance(cause, _AGAIN)


def problem_of(address: ServerAddress, cause: Exception) -> Problem:
    """Return what is wrong, and what to do."""
    what, hint = _explain(address, cause)
    return Problem("log", f"{str(address)!r} {what}", hint, kind=_kind(cause))


def refuse(address: ServerAddress, what: str, hint: str, kind: ProblemKind = "invalid") -> NoReturn:
    """Raise a `LogError` about a database."""
    raise LogError(replace(Problem("log", f"{str(address)!r} {what}", hint), kind=kind))


def reason(address: ServerAddress, cause: Exception) -> str:
    """Return the first line of an error of the library, without a password."""
    lines = [line for line in str(cause).splitlines() if line.strip()]
    return address.without_secrets(lines[0] if lines else type(cause).__name__)


def _explain(address: ServerAddress, cause: Exception) -> tuple[str, str]:
    for kind, what, hint in _TEXTS:
        if isinstance(cause, kind):
            return what, hint
    if isinstance(cause, DamagedError):
        hint = "keep it, and restore a backup; titles are looked for on your account before they are sent"
        return f"is damaged: {cause}", hint
    if isinstance(cause, PoolTimeoutError):
        return "is busy: all connections of this process are in use", "send with fewer threads, or try again"
    if is_gone(cause):
        return f"cannot be reached ({reason(address, cause)})", _ADDRESS
    return f"cannot be used ({reason(address, cause)})", "check the database, or give another one"


def _kind(cause: Exception) -> ProblemKind:
    """Return whether it may be usable a moment later."""
    passing = (errors.LockNotAvailable, errors.QueryCanceled, errors.TooManyConnections, PoolTimeoutError)
    return "conflict" if isinstance(cause, passing) or is_gone(cause) or is_in_the_way(cause) else "invalid"
