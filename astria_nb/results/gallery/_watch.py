"""Watching the tunes of a gallery: polling them on a thread until all their pictures have arrived."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pandas as pd

from astria_nb.client import Client
from astria_nb.errors import AstriaError
from astria_nb.results.watch import PollResult, poll_until_finished
from astria_nb.utils import background


class Watch:
    """Polls tunes until all their pictures have arrived, it is stopped, or a poll fails.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of the tunes.
    client : Client
    poll : float
        Seconds between the first two polls; the interval grows from there.
    lock : threading.RLock
        Held while `on_result` and `on_end` are called. Neither is called after `stop`, if that is called with
        the lock held.
    on_result : callable
        Called with each `PollResult`.
    on_end : callable
        Called with ``finished`` or ``failed``, and the reason of a failure; not after `stop`.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        client: Client,
        poll: float,
        lock: threading.RLock,
        on_result: Callable[[PollResult], None],
        on_end: Callable[[str, str], None],
    ) -> None:
        self._frame, self._client, self._poll, self._lock = frame, client, poll, lock
        self._on_result, self._on_end = on_result, on_end
        self._stop = threading.Event()

    def start(self, after: float) -> None:
        """Begin to poll after so many seconds."""
        background.start_until_exit(self._run, after, stop=self._stop)

    def stop(self) -> None:
        """End the polling."""
        self._stop.set()

    def _run(self, after: float) -> None:
        try:
            self._sleep(after)
            results = poll_until_finished(
                self._frame, self._client, "prompts", poll=self._poll, sleep=self._sleep
            )
            for result in results:
                with self._lock:
                    if self._stop.is_set():
                        return
                    self._on_result(result)
            self._end("finished")
        except _Stopped:
            pass
        except AstriaError as error:
            self._end("failed", str(error))
        except Exception as error:
            self._end("failed", f"{type(error).__name__}: {error}; please report it")
            raise

    def _sleep(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise _Stopped

    def _end(self, state: str, failure: str = "") -> None:
        with self._lock:
            if not self._stop.is_set():
                self._on_end(state, failure)


class _Stopped(Exception):  # noqa: N818  not an error: ends the polling
    """Polling was stopped."""
