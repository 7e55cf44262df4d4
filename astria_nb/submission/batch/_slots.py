"""The number of concurrent requests: rows are prepared before they get a slot, and recorded after it."""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from astria_nb.errors import AstriaError, Problem
from astria_nb.submission.batch._stop import BatchStop

# Rows that threads work on per request in progress: some wait for a slot, some are being recorded.
_AHEAD = 2.0
# One in three of the files that may be open: others are connections, and the caller's own files.
_OPEN_FILES = 3


def max_rows_in_progress(workers: int, files: int) -> int:
    """Return how many rows threads may work on, if each keeps a number of files open.

    Examples
    --------
    >>> max_rows_in_progress(8, 0)
    16
    """
    most = math.ceil(workers * _AHEAD)
    allowed = _allowed_files() // _OPEN_FILES
    return max(1, min(most, allowed // files)) if files and allowed else most


def _allowed_files() -> int:
    """Return how many files this process may open: 256 in some terminals; 0 if there is no limit."""
    if sys.platform == "win32":
        return 0
    import resource

    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(0, allowed)


def _problem(reason: str, hint: str = "run the batch again, which continues from here") -> Problem:
    return Problem("tune", f"was not sent: {reason}", hint)


class NotBegunError(AstriaError):
    """A row was not sent, since the batch was stopped before."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*(problems or (_problem("the batch was stopped"),)))

    @classmethod
    def at_exit(cls) -> NotBegunError:
        """Return the error of a row for which no thread is available any more."""
        hint = (
            "run the batch again in another process, which continues from here; call join() on a thread that "
            "sends, and send nothing from atexit"
        )
        return cls(_problem("Python is ending, and gives threads no more work", hint))

    @classmethod
    def after_unsettled_run(cls) -> NotBegunError:
        """Return the error of a run that waits for a run on the same tune whose outcome is not known."""
        return cls(_problem("it is not known yet what an earlier run on the same tune has made"))

    @classmethod
    def in_outage(cls, reason: str) -> NotBegunError:
        """Return the error of a row that is not sent because the service keeps losing answers."""
        return cls(_problem(f"the service fails: a row was sent, and {reason}"))

    @classmethod
    def after(cls, error: AstriaError) -> NotBegunError:
        """Return the error of a row that was not sent because of another row's error."""
        return cls(
            _problem(f"it would fail like another row ({'; '.join(one.what for one in error.problems)})")
        )


class Slots:
    """Limits the number of concurrent requests.

    Parameters
    ----------
    number : int
    stop : BatchStop
        Once it is set, no row gets a slot; `NotBegunError` is raised instead.

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
        self.begun.discard(row)  # from an earlier attempt
        with self._free:
            if self._stop.is_set():
                raise NotBegunError
            self.begun.add(row)
            yield
