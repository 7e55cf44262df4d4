"""Waiting a limited time for a server that went away, with a line when it goes and when it is back."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from astria_nb.log._server_address import ServerAddress
from astria_nb.log.postgres._errors import is_gone, reason, refuse
from astria_nb.utils.interrupts import sleep
from astria_nb.utils.warn import warn

PATIENCE = 120.0
"""Seconds to wait for a server that has answered this process before."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0  # seconds
_MOST_RUNS = 20  # attempts for a transaction that conflicts with others
_HINT = (
    "start it, then submit again to continue: recorded submissions are looked up before anything is sent; "
    "ExperimentLog.recover does the same for all"
)


class Outage:
    """The shared state of a process's threads during their server's absence.

    Parameters
    ----------
    address : ServerAddress
    """

    def __init__(self, address: ServerAddress) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._is_announced = False

    def wait(self, connect: Callable[[], None], seconds_away: float = 0.0) -> None:
        """Return once the server answers; an interrupt ends the wait.

        Parameters
        ----------
        connect : callable
            Opens a connection, or raises.
        seconds_away : float
            How long the caller has already waited.

        Raises
        ------
        LogError
            The server did not come back in time, or can no longer be used.
        """
        pause = _FIRST_PAUSE
        while (why := self._absence(connect)) is not None:
            self._announce(why)
            if seconds_away > PATIENCE:
                refuse(self._address, f"did not come back in {PATIENCE:.0f} s ({why})", _HINT, "conflict")
            sleep(pause)
            seconds_away += pause
            pause = min(2 * pause, _LONGEST_PAUSE)
        self._end()

    def pause(self, runs: int) -> None:
        """Wait for conflicting transactions to finish."""
        if runs > _MOST_RUNS:
            refuse(self._address, "is too busy: others change the same rows", "try again", "conflict")
        sleep(random.uniform(0.0, 0.01 * runs))  # noqa: S311  no secret

    def _absence(self, connect: Callable[[], None]) -> str | None:
        """Return why the server cannot be reached, or None if it can."""
        try:
            connect()
        except Exception as error:
            if not is_gone(error):
                raise
            return reason(self._address, error)
        return None

    def _announce(self, why: str) -> None:
        with self._lock:
            is_first, self._is_announced = not self._is_announced, True
        if is_first:
            text = f"log: {str(self._address)!r} went away ({why}); waiting for it, up to {PATIENCE:.0f} s"
            warn(text, is_paid=True)  # even if warnings are errors: running work continues

    def _end(self) -> None:
        with self._lock:
            was_announced, self._is_announced = self._is_announced, False
        if was_announced:
            warn(f"log: {str(self._address)!r} is back, and the work continues", is_paid=True)
