"""Work that is done when the log is idle."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic


class WhenIdle:
    """Runs a function on its own thread some seconds after the last `touch`.

    The thread exists only while it waits and works.

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
        """Reset in a forked child, which has neither the thread nor the lock's holder."""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stops: SimpleQueue[None] = SimpleQueue()

    def touch(self) -> None:
        """Record that the log was used."""
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
        """Stop waiting, without working; returns when running work is done.

        Parameters
        ----------
        seconds : float, optional
            Return after this time even if it is not done.
        """
        if (thread := self._thread) is not None:
            self._stops.put(None)
            thread.join(seconds)
            self._thread = None

    def cancel(self) -> None:
        """Like `stop`, but without waiting: Python may call this on any thread, at any line."""
        self._stops.put(None)

    def _run(self, stops: SimpleQueue[None]) -> None:
        while True:
            while (remaining := self._due - monotonic()) > 0:
                with suppress(Empty):
                    stops.get(timeout=remaining)
                    return
            if self._work():
                with self._lock:
                    if self._due <= monotonic():  # not used meanwhile
                        self._thread = None
                        return
            else:
                self._due = monotonic() + self._seconds
