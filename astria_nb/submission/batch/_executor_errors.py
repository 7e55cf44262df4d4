"""Errors of rows whose executor or worker has failed. The log says whether they were sent."""

from __future__ import annotations

import threading
from concurrent.futures import BrokenExecutor

from astria_nb.errors import AstriaError, Problem
from astria_nb.log import environment
from astria_nb.submission.batch._slots import NotBegunError

_AGAIN = "run the batch again, which looks for it first"


def not_taken(error: BaseException) -> AstriaError:
    """Return the error of a row that an executor, or the threads of this process, did not accept."""
    if getattr(threading, "_SHUTTING_DOWN", False):  # there is no public way to check this
        return NotBegunError.at_exit()
    what = f"takes no more tunes ({_text(error)})"
    return AstriaError(Problem("executor", what, "run the batch again with a new executor"))


def lost_by_worker(error: BaseException | None) -> AstriaError:
    """Return the error of a row whose worker gave no answer.

    Parameters
    ----------
    error : exception or None
        The executor's error; None if the row was cancelled.
    """
    if error is None:
        return AstriaError(Problem("executor", "cancelled this tune, or was closed or restarted", _AGAIN))
    if (reason := _import_error(error)) is not None:
        version = environment.session().packages.get("astria_nb", "")
        what = f"has a worker without this version of astria_nb ({_text(reason)})"
        hint = f"install astria_nb {version}".rstrip() + " on all workers, and run the batch again"
        return AstriaError(Problem("executor", what, hint))
    again = _AGAIN if not isinstance(error, BrokenExecutor) else f"with a new executor, {_AGAIN}"
    return AstriaError(Problem("executor", f"lost this tune ({_text(error)})", again))


def _import_error(error: BaseException) -> BaseException | None:
    """Return the error that prevented a worker or a scheduler from reading the task, or None."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ImportError | AttributeError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")
