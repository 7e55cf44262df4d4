"""Runs on one tune are sent one after the other: a run's prompts are those that are new to the tune."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from astria_nb.submission.batch._row_outcome import RowOutcome

_NOT_LOOKED_FOR = ("planned", "sending", "unknown")


class Turns:
    """Which of the waiting rows may be sent.

    Parameters
    ----------
    tune_ids : mapping of int to collection of int
        The tunes that a row uses; only for runs on existing tunes.
    """

    def __init__(self, tune_ids: Mapping[int, tuple[int, ...]]) -> None:
        self._tune_ids = tune_ids
        self._in_use: set[int] = set()

    def next_of(self, waiting: deque[int]) -> int | None:
        """Remove the first waiting row that may be sent, and return it; None if there is none."""
        for number, row in enumerate(waiting):
            tune_ids = self._tune_ids.get(row, ())
            if self._in_use.isdisjoint(tune_ids):
                del waiting[number]
                self._in_use.update(tune_ids)
                return row
        return None

    def end(self, row: int, outcome: RowOutcome | None = None) -> None:
        """Let others use the tunes of a row, unless it is not known yet what the row has made."""
        if outcome is None or outcome.state not in _NOT_LOOKED_FOR:
            self._in_use.difference_update(self._tune_ids.get(row, ()))

    def reset(self, outcomes: Sequence[RowOutcome | None]) -> None:
        """Release all tunes, except those of earlier runs that have not been looked up yet."""
        self._in_use.clear()
        for row, tune_ids in self._tune_ids.items():
            outcome = outcomes[row]
            if outcome is not None and outcome.state in _NOT_LOOKED_FOR:
                self._in_use.update(tune_ids)
