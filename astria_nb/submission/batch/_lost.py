"""The outcome of tunes of a batch whose answers were lost, with one wait and one listing for all of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from astria_nb.errors import AstriaError, OutcomeUnknownError, Problem
from astria_nb.log import HAS_TUNE, RELEASED, Log, StaleSubmission, Submission
from astria_nb.submission import _in_progress as in_progress
from astria_nb.submission import _recovery as recovery
from astria_nb.submission import _search as search
from astria_nb.submission import _settle_time as settle_time
from astria_nb.submission import _settling as settling
from astria_nb.submission._notices import how_to_resolve
from astria_nb.submission._options import SubmitOptions
from astria_nb.submission._unknown_outcome import field_of
from astria_nb.submission.batch._row_outcome import RowOutcome, of_submission
from astria_nb.tune import Tune
from astria_nb.utils.progress import ReportProgress


def settle_lost(
    outcomes: Sequence[RowOutcome | None],
    tunes: Sequence[Tune | None],
    options: SubmitOptions,
    report: ReportProgress,
    looked_for: Collection[int] = (),
) -> dict[int, RowOutcome | None]:
    """Find out the outcome of rows whose answers were lost.

    Parameters
    ----------
    outcomes : sequence of (RowOutcome or None)
        The outcome of each row.
    tunes : sequence of (Tune or None)
    options : SubmitOptions
    report : callable
        Called with a fraction from 0 to 1 and a text.
    looked_for : collection of int
        Rows that this call of `submit_many` has waited for before: they are looked up at once.

    Returns
    -------
    dict of int to (RowOutcome or None)
        Outcomes by the row's position. None: the row was never recorded, so it was not sent, and may be sent.
    """
    settled: dict[int, RowOutcome | None] = {}
    lost: dict[int, Submission] = {}
    for row, outcome in enumerate(outcomes):
        if outcome is None or not outcome.is_lost:
            continue
        known = _known(options.log, _submission(outcome, tunes[row], options))
        if isinstance(known, Submission):
            lost[row] = known
        else:
            settled[row] = known
    if lost:
        seconds = settle_time.SETTLE_SECONDS if options.settle is None else options.settle
        try:
            new = [submission for row, submission in lost.items() if row not in looked_for]
            latest = settling.settle(options.log, options.client, [*lost.values()], seconds, report, new)
        except AstriaError as error:
            return settled | {row: _still_lost(submission, error) for row, submission in lost.items()}
        for row, submission in zip(lost, latest, strict=True):
            settled[row] = _outcome(options.log, submission)
    return settled


def are_made(outcomes: Sequence[RowOutcome | None], options: SubmitOptions) -> bool:
    """Return whether the account has the tunes of all rows whose answers were just lost."""
    numbers = [outcome.submission for outcome in outcomes if outcome is not None]
    try:
        lost = [options.log.get(number) for number in numbers if number is not None]
        return all(search.created_by(options.log, options.client, lost).values())
    except AstriaError:
        return False


def _submission(outcome: RowOutcome, tune: Tune | None, options: SubmitOptions) -> Submission | None:
    if outcome.submission is not None:
        return options.log.get(outcome.submission)
    title = None if tune is None else tune.title
    if title is None:
        return None
    return options.log.find(options.client.service, title, options.client.account)


def _known(log: Log, submission: Submission | None) -> RowOutcome | Submission | None:
    """Return the outcome of a submission, or itself if it has to be looked up; None if it may be sent."""
    if submission is None or submission.state in RELEASED:
        return None
    if submission.state in HAS_TUNE:
        return of_submission(submission)
    is_open = submission.state == "needs_review" or in_progress.is_left_open(log, submission)
    try:
        if submission.state == "planned" and is_open:
            recovery.release(log, submission)
            return None
        if submission.state == "planned":
            return _outcome(log, submission)
        # A submission that another process may still be sending is looked up, but stays with that process.
        return recovery.orphaned(log, submission) if is_open else submission
    except StaleSubmission as overtaken:  # another worker has made progress on it
        return _known(log, overtaken.submission)


def _still_lost(submission: Submission, error: AstriaError) -> RowOutcome:
    return replace(of_submission(submission), error=error)


def _outcome(log: Log, submission: Submission) -> RowOutcome:
    outcome = of_submission(submission)
    if outcome.has_tune:
        return outcome
    if submission.state in ("planned", "sending"):
        what, hint = "is being submitted by another process", "run the batch again when that is done"
    else:
        what = submission.problem or "its outcome is unknown"
        hint = (
            "run the batch again, which looks for it again; if you are sure that it was not created, say so "
            f"with {how_to_resolve(log, submission)}"
        )
    error = OutcomeUnknownError(Problem(field_of(submission), what, hint))
    return replace(outcome, error=error)
