"""How many requests are under way: rows are prepared before they have a slot, and recorded after it."""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from astria_nb.errors import AstriaError, Problem
from astria_nb.submission.batch._stop import BatchStop

# Rows that threads work on, for each request under way: some wait for theirs, some are recorded after it.
_AHEAD = 2.0
# One in so many of the files that may be open: others are connections, and the caller's own.
_OPEN_FILES = 3


def max_rows_in_progress(workers: int, files: int) -> int:
    """Return how many rows threads may work on, each of which keeps up to so many files open.

    Examples
    --------
    >>> max_rows_in_progress(8, 0)
    16
    """
    most = math.ceil(workers * _AHEAD)
    allowed = _allowed_files() // _OPEN_FILES
    return max(1, min(most, allowed // files)) if files and allowed else most


def _allowed_files() -> int:
    """Return how many files this process may have open: 256 in some terminals; 0 if there is no limit."""
    if sys.platform == "win32":
        return 0
    import resource

    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(0, allowed)


def _problem(reason: str, hint: str = "run the batch again, which goes on from here") -> Problem:
    return Problem("tune", f"was not sent: {reason}", hint)


class NotBegunError(AstriaError):
    """A row was not sent, since the batch was stopped before."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*(problems or (_problem("the batch was stopped"),)))

    @classmethod
    def at_exit(cls) -> NotBegunError:
        """Return the error of a row that no thread takes any more."""
        hint = (
            "run the batch again in another process, which goes on from here; call join() on a thread that "
            "sends, and send nothing from atexit"
        )
        return cls(_problem("Python is ending, and gives threads no more work", hint))

    @classmethod
    def after_unsettled_run(cls) -> NotBegunError:
        """Return the error of a run that waits for one on the same tune whose outcome is not known."""
        return cls(_problem("what a run on the same tune before it has made is not known yet"))

    @classmethod
    def in_outage(cls, reason: str) -> NotBegunError:
        """Return the error of a row that is not sent, since the service goes on losing answers."""
        return cls(_problem(f"the service fails: a row was sent, and {reason}"))

    @classmethod
    def after(cls, error: AstriaError) -> NotBegunError:
        """Return the error of a row that another one's error has kept from being sent."""
        return cls(
            _problem(f"it would end as another row did ({'; '.join(one.what for one in error.problems)})")
        )


class Slots:
    """So many rows may be under way at once.

    Parameters
    ----------
    number : int
    stop : BatchStop
        Once it is set, no row gets a slot: `NotBegunError` is raised instead.

    Attributes
    ----------
    begun : set of int
        The rows that have had a slot.
    """

    def __init__(self, number: int, stop: BatchStop) -> None:
        self._free, self._stop = threading.BoundedSemaphore(number), stop
        self.begun: set[int] = set()

    @contextmanager
    def of(self, row: int) -> Iterator[None]:
        """Wait for a slot for a row, and keep it."""
        self.begun.discard(row)  # of an attempt before
        with self._free:
            if self._stop.is_set():
                raise NotBegunError
            self.begun.add(row)
            yield
