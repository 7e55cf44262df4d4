"""How many requests are under way: rows are prepared before they have a slot, and recorded after it."""

from __future__ import annotations

import threading

from astria_nb.errors import AstriaError, Problem


class NotBegunError(AstriaError):
    """A row was not sent, since the batch was stopped before."""

    def __init__(self, *problems: Problem) -> None:
        hint = "run the batch again, which goes on from here"
        super().__init__(*(problems or (Problem("tune", "was not sent: the batch was stopped", hint),)))


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
