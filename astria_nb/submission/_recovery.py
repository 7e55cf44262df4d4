"""Find out what became of the submissions that were left open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from astria_nb.client import Client
from astria_nb.errors import AstriaError, CancelledError
from astria_nb.log import UNSETTLED, Log, StaleSubmission, Submission
from astria_nb.submission import _in_progress as in_progress
from astria_nb.submission import _settle_time as settle_time
from astria_nb.submission import _settling as settling
from astria_nb.submission._unknown_outcome import lookup_cancelled
from astria_nb.utils.progress import ReportProgress


def recover(
    log: Log,
    client: Client,
    seconds: float | None = None,
    *,
    report: ReportProgress,
    no_wait: bool = False,
) -> list[Submission]:
    """Settle the submissions that were left open, and return those that are settled.

    Submissions that a running process still works on are skipped, and with `no_wait` those that would
    need a wait. One that was planned but never sent becomes ``not_sent``, which releases its title. One
    of unknown account whose tune a known account does not have is left open: it may be of another account.
    """
    seconds = settle_time.SETTLE_SECONDS if seconds is None else seconds
    settled, lost = list[Submission](), list[Submission]()
    for submission in list(left_open(log, client)):
        if submission.state != "planned":
            lost.append(submission)
        elif not no_wait or settle_time.age(log, submission) >= seconds:
            with suppress(StaleSubmission):  # another process was faster
                settled.append(release(log, submission))
    if no_wait:
        lost = [submission for submission in lost if settle_time.age(log, submission) >= seconds]
    if lost:
        try:
            looked_for = settling.settle(log, client, lost, seconds, report, leaves_unsure=True)
            settled += [submission for submission in looked_for if submission.state not in UNSETTLED]
        except AstriaError:
            if not no_wait:  # otherwise a failing search must not block the caller's own submission
                raise
    return settled


def recover_one(
    log: Log, client: Client, submission: Submission, seconds: float, report: ReportProgress
) -> Submission:
    """Settle one submission that was left open.

    Raises
    ------
    OutcomeUnknownError
        As from `settle`, or the user cancelled it: `report` raised `CancelledError`.
    """
    if submission.state == "planned":
        return release(log, submission)
    lost = orphaned(log, submission)
    try:
        (settled,) = settling.settle(log, client, [lost], seconds, report)
    except CancelledError as cancelled:  # the look-up only: what it looks for was sent before
        raise lookup_cancelled(lost, cancelled) from cancelled
    return settled


def release(log: Log, submission: Submission) -> Submission:
    """Record that a submission was planned and never sent, which releases its title."""
    return log.change(submission, "not_sent", problem="its process ended before it was sent")


def orphaned(log: Log, submission: Submission) -> Submission:
    """Mark a submission as ``unknown`` if its process ended while it was sent."""
    if submission.state != "sending":
        return submission
    return log.change(submission, "unknown", problem="its process ended while it was sent")


def is_lost(log: Log, submission: Submission) -> bool:
    """Return whether the answer to a submission was lost, and nobody has seen its row since."""
    if submission.state == "adopted":
        return not log.was_returned(submission)
    is_open = submission.state in UNSETTLED and in_progress.is_left_open(log, submission)
    return is_open or submission.state == "needs_review"


def left_open(log: Log, client: Client) -> Iterator[Submission]:
    """Yield the submissions that nobody works on; the time to settle starts now for all of them."""
    account_id = client.account
    for submission in log.unsettled(client.service, account_id):
        # Where the account is not known, it may be another one, which does not show what this one made.
        is_own = submission.request.account in (None, account_id)
        if not is_own or not in_progress.is_left_open(log, submission):
            continue
        with suppress(StaleSubmission):
            open_one = orphaned(log, submission)
            settle_time.age(log, open_one)
            yield open_one
