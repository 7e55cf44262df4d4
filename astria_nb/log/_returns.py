"""Rows of runs without a title: each is recorded as returned once its caller has it.

An equal run may be sent again once the row of the first one was returned. If this was recorded earlier, an
interrupt or the end of the process could intervene, and the next call would pay although the caller never got
the row. If a process is killed meanwhile, the next call returns the row, which costs nothing.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from astria_nb.log._idle import WhenIdle
from astria_nb.log._states import Submission
from astria_nb.utils.child_exit import at_child_exit

if TYPE_CHECKING:
    from astria_nb.log._log import Log

_SECONDS = 0.1  # usually the caller has the result by then


@dataclass(frozen=True, slots=True)
class _Return:
    log: Log
    submission: Submission
    arrival: Callable[[], bool | None]


def expect(log: Log, submission: Submission, arrival: Callable[[], bool | None]) -> None:
    """Record that a row was returned as soon as it has arrived: soon, at the next call, or at the exit.

    Parameters
    ----------
    log : Log
    submission : Submission
    arrival : callable
        As `astria_nb.utils.interrupts.arrival` returns it.
    """
    with _lock:
        _expected.append(_Return(log, submission, arrival))
    # After the log was opened, so that its own exit function runs later.
    atexit.unregister(record)
    atexit.register(record)
    at_child_exit(record)
    _later.touch()


def record() -> bool:
    """Record the rows that have arrived, forget those that never will, and return whether none is left."""
    with _lock:
        for expected in list(_expected):
            has_arrived = expected.arrival()
            if has_arrived is None:
                continue
            if has_arrived:
                with suppress(Exception):  # then the next call returns this row again, which costs nothing
                    expected.log.note_returned(expected.submission)
            _expected.remove(expected)
        return not _expected


def close(log: Log) -> None:
    """Record arrived rows, and forget the others of a log that is about to be closed."""
    record()
    with _lock:
        _expected[:] = [expected for expected in _expected if expected.log is not log]


_lock = threading.Lock()
_expected: list[_Return] = []
_later = WhenIdle(record, _SECONDS)


def _leave_to_parent() -> None:
    """Reset a forked child: the parent records its own rows, and its thread does not exist here."""
    global _lock, _later
    _lock, _later = threading.Lock(), WhenIdle(record, _SECONDS)
    _expected.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
