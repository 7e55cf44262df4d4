"""Work that is done once nothing else happens."""

from __future__ import annotations

import threading
from collections.abc import Callable
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
        self._stopped = threading.Event()

    def touch(self) -> None:
        """Note that something has happened."""
        self._due = monotonic() + self._seconds
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._stopped.clear()
                    thread = threading.Thread(target=self._run, name="astria_nb log", daemon=True)
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
            self._stopped.set()
            thread.join(seconds)
            self._thread = None

    def cancel(self) -> None:
        """Do as `stop`, without waiting for a running one: this may be its thread."""
        self._stopped.set()

    def _run(self) -> None:
        while True:
            while (remaining := self._due - monotonic()) > 0:
                if self._stopped.wait(remaining):
                    return
            if self._work():
                with self._lock:
                    if self._due <= monotonic():  # nothing happened meanwhile
                        self._thread = None
                        return
            else:
                self._due = monotonic() + self._seconds
