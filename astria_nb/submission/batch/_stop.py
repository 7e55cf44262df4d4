"""Whether a batch sends no more rows, and why."""

from __future__ import annotations

import threading


class BatchStop:
    """Whether a batch sends no more rows. Used by all of its threads.

    Attributes
    ----------
    is_cancelled : bool
        Whether the user has cancelled it.
    is_on_hold : bool
        Whether it waits for the outcome of a row, and may continue then.
    """

    def __init__(self) -> None:
        self._ended = threading.Event()
        self.is_cancelled = self.is_on_hold = False

    def is_set(self) -> bool:
        """Return whether no row may be sent now."""
        return self.is_on_hold or self._ended.is_set()

    def set(self) -> None:
        """Send no more rows."""
        self._ended.set()

    def cancel(self) -> None:
        """Send no more rows, as requested by the user."""
        self.is_cancelled = True
        self._ended.set()

    def hold(self) -> None:
        """Send no more rows for now."""
        self.is_on_hold = True

    def go_on(self) -> bool:
        """End the hold, and return whether rows may be sent again because of that."""
        was_on_hold, self.is_on_hold = self.is_on_hold, False
        return was_on_hold and not self._ended.is_set()
