"""Distribution of the tunes of a batch, and the outcome of each; one thread decides, others send."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue

from astria_nb.errors import AstriaError
from astria_nb.submission.batch._executor_errors import lost_by_worker, not_taken
from astria_nb.submission.batch._limits import BatchLimits
from astria_nb.submission.batch._patience import Patience
from astria_nb.submission.batch._row_outcome import RowOutcome
from astria_nb.submission.batch._slots import NotBegunError
from astria_nb.submission.batch._tally import Tally
from astria_nb.submission.batch._turns import Turns
from astria_nb.utils.interrupts import raise_if_interrupted

Submit = Callable[[int], "Future[RowOutcome]"]
"""Passes a row to a sender, and returns its future."""
_TICK_SECONDS = 0.1
_MARGIN_SECONDS = 60.0  # seconds in addition to a row's timeout, for the way to a worker and back


@dataclass(slots=True)
class _UnderWay:
    started: float
    future: Future[RowOutcome]


class Batch:
    """The rows of a batch, each handed out once, except after a 429.

    Parameters
    ----------
    outcomes : list of (RowOutcome or None)
        The outcome of each row; None for one that has to be sent. Filled in by `run`.
    prices : dict of int to (int or None)
        Prices in millicents, of the rows that cost something.
    limits : BatchLimits
    turns : Turns
    report : callable
        Called with a `Tally` about ten times a second, and at the end.
    """

    def __init__(
        self,
        outcomes: list[RowOutcome | None],
        prices: dict[int, int | None],
        limits: BatchLimits,
        turns: Turns,
        report: Callable[[Tally], None],
    ) -> None:
        self.outcomes, self._prices, self._limits, self._report = outcomes, prices, limits, report
        self._turns = turns
        self.tally = Tally(len(outcomes))
        for outcome in outcomes:
            if outcome is not None:
                self.tally.count(outcome)
        self._under_way: dict[int, _UnderWay] = {}  # the oldest first
        self._give_up_at = math.inf  # deadline of rows in progress, once an executor has cancelled a row
        self._ended: SimpleQueue[tuple[int, Future[RowOutcome]]] = SimpleQueue()
        self._patience = Patience()
        self._reason: NotBegunError | None = None  # the error of the remaining rows
        self._reported = 0.0

    def run(self, submit: Submit, rows: Iterable[int]) -> list[int]:
        """Hand out rows, wait until they have ended, and return rows that have to wait for another run.

        Parameters
        ----------
        submit : callable
        rows : iterable of int

        Raises
        ------
        KeyboardInterrupt
            This call was interrupted. The rows that were in progress have ended.
        """
        waiting = deque(sorted(rows, key=self._prices.__contains__))  # rows that cost nothing need not wait
        self._turns.reset(self.outcomes)
        self.tally.is_over = False
        try:
            while waiting or self.tally.active:
                raise_if_interrupted()
                is_held = self._hand_out(submit, waiting)
                if is_held and not self.tally.active:
                    break
                self._wait(waiting, is_held=is_held)
        except BaseException:
            waiting.clear()
            self._limits.stop.set()  # rows that wait for a slot are not sent, either
            self.tally.is_ending = True
            while self.tally.active:  # sent rows are recorded, for the next call
                self._wait(waiting)
            raise
        finally:
            self.tally.is_over = not self._limits.stop.is_on_hold
            self._report_tally(is_last=True)
        return [*waiting]

    def _hand_out(self, submit: Submit, waiting: deque[int]) -> bool:
        """Hand out rows that may be sent now; return whether all others have to wait for earlier rows."""
        limits = self._limits
        while waiting and self.tally.active < limits.in_flight:
            if limits.stop.is_set():
                self.leave(waiting)
                waiting.clear()
                return False
            if (row := self._turns.next_of(waiting)) is None:
                return True
            if row in self._prices and limits.pace.wait_seconds() > 0:
                self._turns.end(row)
                waiting.appendleft(row)
                return False
            if row in self._prices and (problem := limits.budget.reserve(row, self._prices[row])):
                self._end(row, RowOutcome("not_sent", error=AstriaError(problem)))
                continue
            started = limits.pace.start() if row in self._prices else time.monotonic()
            try:
                future = submit(row)
            except Exception as error:  # noqa: BLE001  an executor that was shut down, or whose workers are gone
                refusal = not_taken(error)
                if isinstance(refusal, NotBegunError):
                    self._reason = self._reason or refusal
                limits.stop.set()
                self._end(row, RowOutcome("not_sent", error=refusal))
                continue
            self.tally.active += 1
            self._under_way[row] = _UnderWay(started, future)
            future.add_done_callback(lambda future, row=row: self._ended.put((row, future)))  # type: ignore[misc]
        return False

    def _wait(self, waiting: deque[int], *, is_held: bool = False) -> None:
        """Wait until a row has ended, or another one may be handed out."""
        pause = _TICK_SECONDS
        if waiting and not is_held and self.tally.active < self._limits.in_flight:
            pause = min(pause, max(0.0, self._limits.pace.wait_seconds()))
        with suppress(Empty):
            self._receive(*self._ended.get(timeout=pause), waiting)
            while True:
                self._receive(*self._ended.get_nowait(), waiting)
        self._give_up_on_silent()
        self._report_tally()

    def _give_up_on_silent(self) -> None:
        """Count a row as lost if no worker has answered in time, and hand out no more."""
        seconds = self._limits.row_seconds
        while seconds is not None and self._under_way:
            row, oldest = next(iter(self._under_way.items()))
            if time.monotonic() < min(oldest.started + seconds + _MARGIN_SECONDS, self._give_up_at):
                return
            self._limits.stop.set()
            self.tally.active -= 1
            del self._under_way[row]
            oldest.future.cancel()
            self._end(row, RowOutcome("unknown", error=lost_by_worker(TimeoutError("no answer"))))

    def _receive(self, row: int, future: Future[RowOutcome], waiting: deque[int]) -> None:
        under_way = self._under_way.get(row)
        if under_way is None or under_way.future is not future:
            return  # it already counts as lost
        del self._under_way[row]
        self.tally.active -= 1
        error = None if future.cancelled() else future.exception()
        if future.cancelled():  # no more rows are wanted, or the cluster is gone with all rows in progress
            self._limits.stop.set()
            self._give_up_at = min(self._give_up_at, time.monotonic() + _MARGIN_SECONDS)
        if future.cancelled() or error is not None:
            # The log says whether it was sent.
            outcome = RowOutcome("unknown", error=lost_by_worker(error))
        else:
            outcome = future.result()
        if outcome.retry_after is not None and self._patience.may_wait(row):
            seconds = None if outcome.retry_after < 0 else outcome.retry_after
            self._limits.pace.slow_down(seconds, under_way.started)
        elif not (outcome.is_unreached and self._may_try_again(row)):
            self._end(row, outcome)
            return
        # Nothing was created. This row comes first when the service accepts requests again.
        self._limits.budget.settle(row, is_paid=False)
        self._turns.end(row)
        waiting.appendleft(row)

    def _may_try_again(self, row: int) -> bool:
        """Return whether a row whose connection failed is sent again after a pause of the whole batch."""
        seconds = self._patience.pause_before_next(row)
        if self.is_stopped or seconds is None:
            return False
        self._limits.pace.pause(seconds)
        return True

    def _end(self, row: int, outcome: RowOutcome) -> None:
        is_begun = not isinstance(outcome.error, NotBegunError)
        if self._limits.stops_at_error and is_begun and not outcome.has_tune:
            # A lost answer is looked up first: if its tune exists, nothing has failed.
            (self._limits.stop.hold if outcome.is_lost else self._limits.stop.set)()
        is_too_poor = not self.is_stopped and self._limits.balance.is_exceeded(row, outcome.error)
        if outcome.concerns_all or is_too_poor or (outcome.is_unreached and self._patience.is_cut_off):
            assert outcome.error is not None
            self._stop(NotBegunError.after(outcome.error))
        elif not outcome.is_unreached and is_begun:
            self._patience.note_answer()
        if row in self._prices and not self._limits.stops_at_error:
            self._watch(row, outcome)
        if not is_begun and self._reason is not None:
            outcome = replace(outcome, error=self._reason)
        # A tune that may exist on the service counts as paid.
        is_paid = outcome.has_tune or outcome.is_lost
        self._limits.budget.settle(row, is_paid=is_paid, cost_mc=outcome.cost_mc)
        if outcome.has_tune:
            self._limits.pace.succeed()
        self._turns.end(row, outcome)
        self.tally.count(outcome)
        self.tally.cost_mc = self._limits.budget.spent_mc
        self.outcomes[row] = outcome

    def _watch(self, row: int, outcome: RowOutcome) -> None:
        """Hold rows back once the service seems to fail."""
        outage = self._limits.outage
        outage.count(row, outcome)
        if outage.is_likely:
            self._limits.stop.hold()

    def end_in_outage(self) -> None:
        """Send no more rows: the test row, which shows whether the service answers again, was not created."""
        outcome = self.outcomes[self._limits.outage.lost[-1]]
        assert outcome is not None
        self._stop(NotBegunError.in_outage(outcome.problem))

    def _stop(self, reason: NotBegunError) -> None:
        """Send no more rows, for a reason that holds for all of them."""
        self._reason = self._reason or reason
        self._limits.stop.set()

    def leave(self, rows: Iterable[int], error: NotBegunError | None = None) -> None:
        """Mark rows as not sent, by default for the reason why the batch was stopped."""
        error = error or self._reason or NotBegunError()
        for row in rows:
            self.outcomes[row] = RowOutcome("not_sent", error=error)

    @property
    def is_stopped(self) -> bool:
        """Whether no more rows are handed out."""
        return self._limits.stop.is_set()

    def take_left(self) -> list[int]:
        """Return the rows that were not sent while the batch was on hold; they have not been counted."""
        left = []
        for row, outcome in enumerate(self.outcomes):
            if outcome is not None and isinstance(outcome.error, NotBegunError):
                self.outcomes[row] = None
                left.append(row)
        return left

    def forget(self, rows: Iterable[int]) -> None:
        """Forget the outcomes of rows that will be sent again; none of them has a tune."""
        for row in rows:
            self.outcomes[row] = None
            self.tally.failed -= 1

    def replace(self, row: int, outcome: RowOutcome) -> None:
        """Replace the outcome of a row when more is known about it."""
        before = self.outcomes[row]
        assert before is not None
        if before.has_tune != outcome.has_tune:
            self.tally.done += 1 if outcome.has_tune else -1
            self.tally.failed += -1 if outcome.has_tune else 1
        error = None if outcome.has_tune else outcome.error or before.error
        self.outcomes[row] = replace(outcome, error=error)
        self._report_tally(is_last=True)

    def _report_tally(self, is_last: bool = False) -> None:
        now = time.monotonic()
        if is_last or now - self._reported >= _TICK_SECONDS:
            self._reported = now
            self.tally.held_for = self._limits.pace.held_for
            is_ended = self.is_stopped and not self._limits.stop.is_on_hold
            self.tally.is_over = self.tally.is_over or is_ended
            self.tally.unsent = self._limits.unsent(self._under_way)
            self._report(self.tally)
