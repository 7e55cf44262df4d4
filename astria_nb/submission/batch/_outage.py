"""Detection of an outage: the answers to several rows are lost, with no other answer between them."""

from __future__ import annotations

from astria_nb.submission.batch._row_outcome import RowOutcome

_LEAST = 3
_MORE = 4  # times as many lost answers before the next look-up, once a look-up has found all tunes


class ServiceOutage:
    """Counts consecutive lost answers. Used only by the thread that hands out rows.

    Parameters
    ----------
    workers : int
        Rows that are in progress at once: a single event may lose the answers to all of them.

    Attributes
    ----------
    lost : list of int
        The rows whose answers were lost since the last other answer, or the last look-up. Once an outage is
        likely, only a look-up ends it: rows in progress may be answered long after the others.
    is_probed : bool
        Whether rows are sent one at a time, to find out whether the service answers again.
    """

    def __init__(self, workers: int) -> None:
        self.lost: list[int] = []
        self.is_probed = False
        self._most = max(_LEAST, workers)

    @property
    def is_likely(self) -> bool:
        """Whether no more rows are sent until the outcome of the lost ones is known."""
        return len(self.lost) >= (1 if self.is_probed else self._most)

    def count(self, row: int, outcome: RowOutcome) -> None:
        """Count a row that was sent."""
        if outcome.has_lost_answer:
            self.lost.append(row)
        elif (outcome.has_tune or outcome.state == "rejected") and not self.is_likely:
            self.lost.clear()
            self.is_probed = False

    def go_on(self, *, is_made: bool) -> None:
        """Continue after a look-up of the lost rows.

        Parameters
        ----------
        is_made : bool
            Whether all of their tunes exist: then only answers are lost.
        """
        self.lost.clear()
        self.is_probed = not is_made
        if is_made:
            self._most *= _MORE
