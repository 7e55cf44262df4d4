"""One call of `submit_many`: rows are checked, sent, looked up if an answer was lost, and returned."""

from __future__ import annotations

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace

import pandas as pd

from astria_nb import rows
from astria_nb.errors import AstriaError, Problem, TuneError
from astria_nb.submission import _notices as notices
from astria_nb.submission import _recovery as recovery
from astria_nb.submission import _unknown_accounts as unknown_accounts
from astria_nb.submission._options import SubmitOptions
from astria_nb.submission._repeats import why_no_pictures
from astria_nb.submission.batch._balance import BalanceCheck
from astria_nb.submission.batch._batch import Batch
from astria_nb.submission.batch._batch_error import batch_error
from astria_nb.submission.batch._budget import Budget
from astria_nb.submission.batch._check import BatchCheck, check_rows
from astria_nb.submission.batch._dispatch import Dispatch
from astria_nb.submission.batch._display import BatchObserver
from astria_nb.submission.batch._former_titles import with_former_titles
from astria_nb.submission.batch._frame import frame_of
from astria_nb.submission.batch._limits import BatchLimits
from astria_nb.submission.batch._listing import Listing
from astria_nb.submission.batch._lost import are_made, settle_lost
from astria_nb.submission.batch._missing_names import problems_with_missing_names
from astria_nb.submission.batch._outage import ServiceOutage
from astria_nb.submission.batch._pace import Pace
from astria_nb.submission.batch._remarks import problem_with_total, warn_after, warn_before
from astria_nb.submission.batch._row_outcome import RowOutcome
from astria_nb.submission.batch._sending import send
from astria_nb.submission.batch._slots import NotBegunError, Slots, max_rows_in_progress
from astria_nb.submission.batch._stop import BatchStop
from astria_nb.submission.batch._table import Table
from astria_nb.submission.batch._turns import Turns
from astria_nb.tune import Pack, Tune
from astria_nb.utils.interrupts import arrival, blocks_on
from astria_nb.utils.versions import check_versions
from astria_nb.utils.warn import warn


class Work:
    """The rows of one call, from the check to the frame.

    Parameters
    ----------
    table : Table
    options : SubmitOptions
        Options that do not wait.
    executor : Executor or None
        None: threads of this process.
    max_cost : float or None
        US dollars.
    announces : bool
        Whether to warn of requests that were sent before under another title.
    observer : BatchObserver
    """

    def __init__(
        self,
        *,
        table: Table,
        options: SubmitOptions,
        executor: Executor | None,
        max_cost: float | None,
        announces: bool,
        observer: BatchObserver,
    ) -> None:
        self._table, self._options, self._executor = table, options, executor
        self._max_cost, self._announces, self._observer = max_cost, announces, observer
        self._check = BatchCheck()
        self._looked_for: set[int] = set()  # rows whose tunes would have appeared by then

    @property
    def _tunes(self) -> tuple[Tune | None, ...]:
        return self._table.tunes

    @property
    def _is_remote(self) -> bool:
        """Whether other processes send the rows."""
        return self._executor is not None and not isinstance(self._executor, ThreadPoolExecutor)

    def check(self, *, skip_invalid: bool) -> None:
        """Check every row before anything is sent.

        Raises
        ------
        BatchError
            Some rows have problems and are not to be skipped, or all rows together cost too much.
        """
        check_versions()
        rows.check_frames()
        table, options = self._table, self._options
        is_wrong = bool(table.details) and not skip_invalid
        if is_wrong and not any(table.tunes) and not table.classes:
            raise batch_error(table.details, table)
        if not is_wrong:
            recovery.recover(
                options.log, options.client, options.settle, report=self._observer.report, no_wait=True
            )
            table = self._table = with_former_titles(table, options, self._observer.report)
        try:
            self._check = check_rows(table, options, self._observer.report)
            unnamed = problems_with_missing_names(table, self._check, options, self._observer.report)
            self._check.problems += unnamed
            for row, _ in unnamed:
                del self._check.prices[row]
        except AstriaError:
            if not is_wrong:
                raise
        self._ask_for_accounts()
        problems = [*table.details, *self._check.problems]
        if problems and not skip_invalid:
            raise batch_error(problems, table)
        if (problem := problem_with_total(self._check, self._max_cost)) is not None:
            raise batch_error([(None, problem)], table)
        warn_before(self._check, table.tunes, options, announces=self._announces)

    def _ask_for_accounts(self) -> None:
        """Find out whether rows on record, of unknown account, are of this one; warn of the others."""
        log, client, precedents = self._options.log, self._options.client, self._check.precedents
        if client.account is None:
            return
        unsure = {
            row: claimant
            for row, known in precedents.items()
            if (claimant := known.claimant) is not None
            and claimant.request.account is None
            and not why_no_pictures(claimant)
        }
        if unseen := unknown_accounts.not_shown(log, client, [*unsure.values()]):
            warn(notices.are_not_shown(unseen, client.account), is_paid=True)
        for row, claimant in unsure.items():
            precedents[row] = replace(precedents[row], claimant=log.get(claimant.id))

    def run(self, *, workers: int, pace: Pace, stop: BatchStop, stops_at_error: bool) -> pd.DataFrame:
        """Send the rows, and return their frame.

        Parameters
        ----------
        workers : int
            Maximum number of rows in progress.
        pace : Pace
        stop : BatchStop
        stops_at_error : bool
            Whether the first row that fails stops the others, and its error is raised.
        """
        outcomes = self._outcomes()
        files = max((len(tune.images) for tune in self._tunes if tune), default=0)
        most_rows = workers if self._is_remote else max_rows_in_progress(workers, files)
        balance = BalanceCheck(self._options.client, self._tune_and_pack)
        outage = ServiceOutage(workers)
        limits = BatchLimits(
            most_rows, pace, Budget(self._max_cost), stop, balance, outage, stops_at_error=stops_at_error
        )
        slots = Slots(workers, stop)
        if self._is_remote:
            limits.row_seconds = self._options.timeout
        else:
            limits.begun = slots.begun
        runs = {row: tune.tune_ids for row, tune in enumerate(self._tunes) if tune and tune.tune_ids}
        batch = Batch(outcomes, self._check.prices, limits, Turns(runs), self._observer.count)
        to_send = [row for row, outcome in enumerate(outcomes) if outcome is None]
        if to_send:
            batch.tally.price, batch.tally.most = self._check.price, workers
            self._observer.announce(self._what_is_sent(len(to_send)))
            listing = Listing(self._options.client, len(to_send), self._observer.report)
            with ExitStack() as stack:
                threads = self._executor
                if not isinstance(threads, ThreadPoolExecutor):
                    threads = stack.enter_context(ThreadPoolExecutor(most_rows, "astria_nb batch"))
                self._send(batch, stop, outage, to_send, listing, threads, slots)
        complete = [outcome for outcome in batch.outcomes if outcome is not None]
        if stops_at_error and (error := _first_error(complete, stop)) is not None:
            raise error
        self._note_returned(complete)
        warn_after(complete)
        return frame_of(complete, self._tunes, self._table.index, self._options.client.now())

    def _send(
        self,
        batch: Batch,
        stop: BatchStop,
        outage: ServiceOutage,
        to_send: list[int],
        listing: Listing,
        threads: ThreadPoolExecutor,
        slots: Slots,
    ) -> None:
        """Send rows, look up those whose answers were lost, and send again those that were not created."""
        options = replace(self._options, look=listing.look)

        def send_here(row: int) -> Future[RowOutcome]:
            precedents, request = self._check.precedents[row], self._check.requests.get(row)
            of_row = replace(options, slot=slots.of(row))
            return threads.submit(send, *self._tune_and_pack(row), of_row, precedents, request)

        def send_again(row: int) -> Future[RowOutcome]:
            of_row = replace(options, slot=slots.of(row), waits=True)
            return threads.submit(send, *self._tune_and_pack(row), of_row)

        executor = self._executor if self._is_remote else None
        newest_id = listing.newest_id if listing.is_complete else None
        dispatch = None if executor is None else Dispatch(executor, self._options, newest_id)

        def send_there(row: int) -> Future[RowOutcome]:
            if dispatch is None or self._may_exist(row, listing):
                return send_here(row)
            return dispatch.submit(*self._tune_and_pack(row))

        held, rows_left = list[int](), to_send
        while rows_left:
            # Another thread may send on the connection that this one used last: an interrupt must not end
            # that.
            blocks_on(None)
            held += batch.run(send_there, rows_left)
            rows_left = batch.take_left()
            is_held_back = outage.is_likely and stop.is_on_hold and rows_left
            if is_held_back and are_made([batch.outcomes[row] for row in outage.lost], options):
                outage.go_on(is_made=True)  # only answers are lost, and all are looked up at the end
                if stop.go_on():
                    continue
            elif is_held_back and outage.is_probed:
                batch.end_in_outage()
            again, goes_on = self._settle(batch, stop, outage, options, is_last=not rows_left)
            held += again
            if not goes_on:
                batch.leave(rows_left)
                break
        if held:
            blocks_on(None)
            batch.leave(batch.run(send_again, sorted(held)), NotBegunError.after_unsettled_run())

    def _settle(
        self, batch: Batch, stop: BatchStop, outage: ServiceOutage, options: SubmitOptions, *, is_last: bool
    ) -> tuple[list[int], bool]:
        """Look up rows whose answers were lost; some are sent again once no others are left (`is_last`).

        Returns
        -------
        (list of int, bool)
            The rows to send again, and whether rows that were on hold may be sent now.
        """
        report = self._observer.report

        def report_outage(fraction: float, text: str) -> None:
            report(fraction, f"answers are lost: {text}")

        settled = settle_lost(
            *(batch.outcomes, self._tunes, options, report_outage if outage.is_likely else report),
            self._looked_for,
        )
        self._looked_for |= {
            row for row, outcome in settled.items() if outcome is not None and outcome.state == "needs_review"
        }
        may_repeat = {
            row
            for row, outcome in settled.items()
            if (not self._is_remote if outcome is None else self._may_repeat(row, outcome))
        }
        has_tune = {row for row, outcome in settled.items() if outcome is not None and outcome.has_tune}
        if outage.is_likely:
            outage.go_on(is_made=has_tune.issuperset(outage.lost))
        elif stop.is_on_hold and settled.keys() - has_tune - may_repeat:
            stop.set()
        goes_on = stop.go_on()
        batch.tally.is_over = is_last or not goes_on
        for row, outcome in settled.items():
            if outcome is not None:
                batch.replace(row, outcome)
            elif self._is_remote or stop.is_set():
                batch.replace(row, RowOutcome("not_sent"))  # no worker may be left
        again = sorted(may_repeat) if is_last and not stop.is_set() else []
        batch.forget(again)
        return again, goes_on

    def _tune_and_pack(self, row: int) -> tuple[Tune, Pack]:
        tune = self._tunes[row]
        assert tune is not None
        return tune, self._check.pack_of(tune)

    def _may_exist(self, row: int, listing: Listing) -> bool:
        """Return whether a row may exist already, or is a run whose prompts have to be checked."""
        tune, claimant = self._tunes[row], self._check.precedents[row].claimant
        if claimant is not None or tune is None or tune.tune_ids:
            return True
        return listing.has(str(tune.title))

    def _may_repeat(self, row: int, outcome: RowOutcome) -> bool:
        """Return whether the account itself recognises a repeated row that was not found on it."""
        tune = self._tunes[row]
        return (
            self._options.idempotent
            and outcome.state == "needs_review"
            and (self._options.client.account is None or (outcome.record or {}).get("account") is not None)
            and tune is not None
            and not tune.tune_ids
        )

    def _what_is_sent(self, count: int) -> str:
        """Describe how many of the rows are sent, and what they cost."""
        on_record = count - len(self._check.prices)
        parts = [_tunes(len(self._check.prices)), self._check.price] if self._check.prices else []
        if on_record:
            parts.append(f"{_tunes(on_record)} {'was' if on_record == 1 else 'were'} sent before")
        return " · ".join(filter(None, parts))

    def _outcomes(self) -> list[RowOutcome | None]:
        """Return the outcomes of rows with problems; None for the others."""
        wrong: dict[int, list[Problem]] = {}
        for row, problem in (*self._table.details, *self._check.problems):
            for number in range(len(self._tunes)) if row is None else (row,):
                wrong.setdefault(number, []).append(problem)
        return [
            RowOutcome("invalid", error=TuneError(*wrong[row])) if row in wrong else None
            for row in range(len(self._tunes))
        ]

    def _note_returned(self, outcomes: list[RowOutcome]) -> None:
        log, is_arrived = self._options.log, arrival()
        for outcome in outcomes:
            if outcome.submission is not None and outcome.state == "adopted":
                with suppress(Exception):  # then the next call returns this row again, which costs nothing
                    log.note_returned(log.get(outcome.submission), is_arrived)


def _tunes(count: int) -> str:
    return f"{count:,} tune{'' if count == 1 else 's'}"


def _first_error(outcomes: list[RowOutcome], stop: BatchStop) -> AstriaError | None:
    """Return the error of the first row that failed itself, or else of a row that was not begun."""
    errors = [one.error for one in outcomes if one.error and one.state != "invalid" and not one.has_tune]
    own = (error for error in errors if not isinstance(error, NotBegunError))
    return next(own, None if stop.is_cancelled else next(iter(errors), None))
