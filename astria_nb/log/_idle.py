"""Work that is done once nothing else happens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic


class WhenIdle:
    """Runs something on a thread of its own some seconds after the last `touch`.

    The thread lives only as long as it waits and works.

    Parameters
    ----------
    work : callable
        Returns whether it is done; if not, it is tried again after the same time.
    seconds : float
    """

    def __init__(self, work: Callable[[], bool], seconds: float) -> None:
        self._work, self._seconds = work, seconds
        self._due = 0.0
        self.begin_in_child()

    def begin_in_child(self) -> None:
        """Start afresh in a forked child, which has neither the thread nor whoever held the lock."""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stops: SimpleQueue[None] = SimpleQueue()

    def touch(self) -> None:
        """Note that something has happened."""
        self._due = monotonic() + self._seconds
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._stops = SimpleQueue()
                    thread = threading.Thread(
                        target=self._run, args=(self._stops,), name="astria_nb log", daemon=True
                    )
                    thread.start()
                    self._thread = thread

    def stop(self, seconds: float | None = None) -> None:
        """Do not wait any longer, and do not work; returns when a running one is done.

        Parameters
        ----------
        seconds : float, optional
            Return after so long even if it is not.
        """
        if (thread := self._thread) is not None:
            self._stops.put(None)
            thread.join(seconds)
            self._thread = None

    def cancel(self) -> None:
        """Do as `stop`, without waiting for anything: Python may call this on any thread, at any line."""
        self._stops.put(None)

    def _run(self, stops: SimpleQueue[None]) -> None:
        while True:
            while (remaining := self._due - monotonic()) > 0:
                with suppress(Empty):
                    stops.get(timeout=remaining)
                    return
            if self._work():
                with self._lock:
                    if self._due <= monotonic():  # nothing happened meanwhile
                        self._thread = None
                        return
            else:
                self._due = monotonic() + self._seconds
