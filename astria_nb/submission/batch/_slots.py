"""How many requests are under way: rows are prepared before they have a slot, and recorded after it."""

from __future__ import annotations

import threading

from astria_nb.errors import AstriaError, Problem


def _problem(reason: str) -> Problem:
    return Problem("tune", f"was not sent: {reason}", "run the batch again, which goes on from here")


class NotBegunError(AstriaError):
    """A row was not sent, since the batch was stopped before."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*(problems or (_problem("the batch was stopped"),)))

    @classmethod
    def after(cls, error: AstriaError) -> NotBegunError:
        """Return the error of a row that another one's error has kept from being sent."""
        return cls(
            _problem(f"it would end as another row did ({'; '.join(one.what for one in error.problems)})")
        )


class Slots:
    """A context manager that at most so many threads are in.

    Parameters
    ----------
    number : int
    stop : threading.Event
        Once it is set, nobody enters: `NotBegunError` is raised instead.
    """

    def __init__(self, number: int, stop: threading.Event) -> None:
        self._free, self._stop = threading.BoundedSemaphore(number), stop

    def __enter__(self) -> None:
        self._free.acquire()
        if self._stop.is_set():
            self._free.release()
            raise NotBegunError

    def __exit__(self, *_: object) -> None:
        self._free.release()
