"""Whether the service fails: the answers to several rows are lost, with no other answer between them."""

from __future__ import annotations

from astria_nb.submission.batch._row_outcome import RowOutcome

_LEAST = 3
_MORE = 4  # times as many are lost before the next look, once a look has found all of them


class ServiceOutage:
    """Counts the answers that were lost one after the other. Used by the one thread that hands rows out.

    Parameters
    ----------
    workers : int
        Rows that are under way at once: one moment may lose the answers to all of them.

    Attributes
    ----------
    lost : list of int
        The rows whose answers were lost since the last other answer, or the last look for them. Once an
        outage is likely, only a look ends it: what was under way may be answered long after the others.
    is_probed : bool
        Whether one row is sent at a time, to find out whether the service answers again.
    """

    def __init__(self, workers: int) -> None:
        self.lost: list[int] = []
        self.is_probed = False
        self._most = max(_LEAST, workers)

    @property
    def is_likely(self) -> bool:
        """Whether no more rows are sent before it is known what became of those that were lost."""
        return len(self.lost) >= (1 if self.is_probed else self._most)

    def count(self, row: int, outcome: RowOutcome) -> None:
        """Count a row that was sent."""
        if outcome.has_lost_answer:
            self.lost.append(row)
        elif (outcome.has_tune or outcome.state == "rejected") and not self.is_likely:
            self.lost.clear()
            self.is_probed = False

    def go_on(self, *, is_made: bool) -> None:
        """Go on after a look for the rows that were lost.

        Parameters
        ----------
        is_made : bool
            Whether all of their tunes exist: then only answers are lost.
        """
        self.lost.clear()
        self.is_probed = not is_made
        if is_made:
            self._most *= _MORE
