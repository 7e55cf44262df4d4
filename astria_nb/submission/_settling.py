"""Settling: wait, look for submissions whose answers were lost, and record what became of them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from astria_nb.client import Client, Json, deadline
from astria_nb.errors import AstriaError, LogError
from astria_nb.log import HAS_TUNE, Log, StaleSubmission, Submission
from astria_nb.submission import _search as search
from astria_nb.submission import _settle_time as settle_time
from astria_nb.submission import _unknown_accounts as unknown_accounts
from astria_nb.submission._unknown_outcome import after, still_unknown
from astria_nb.utils.progress import ReportProgress, wait_with_progress

_LOOK_SECONDS = 1.0  # between two looks at what other processes have recorded


def settle(
    log: Log,
    client: Client,
    submissions: Sequence[Submission],
    seconds: float,
    report: ReportProgress,
    waits_for: Sequence[Submission] | None = None,
    *,
    leaves_unsure: bool = False,
) -> list[Submission]:
    """Wait until the tunes of submissions must be on the account, and search for all of them at once.

    Parameters
    ----------
    log : Log
    client : Client
        Of the service that they were sent to.
    submissions : sequence of Submission
        Each in the state ``unknown``, or in ``needs_review`` to look again; or in ``sending``, if another
        process may be sending it: then it is not changed unless the account has its tune.
    seconds : float
        How long the service may need after a request was sent.
    report : callable
        Called during the wait with a fraction from 0 to 1 and a text.
    waits_for : sequence of Submission, optional
        Those whose tunes may not have appeared yet. Default: all.
    leaves_unsure : bool
        Whether one that may be of another account is left as it is unless this account has its tune.

    Returns
    -------
    list of Submission
        In the same order: ``adopted``, with the tune that was found, or ``needs_review``; or the state that
        another process recorded in the meantime.

    Raises
    ------
    OutcomeUnknownError
        There was not enough time to wait, or the account could not be searched. Nothing has changed.
    """
    waited_for = submissions if waits_for is None else waits_for
    ages = [settle_time.age(log, submission) for submission in waited_for]
    wait = max(0.0, seconds - min(ages, default=seconds))
    if not deadline.has_time_for(wait):
        reason = f"the service may need {wait:.0f} s to finish, which is longer than the timeout"
        raise still_unknown(submissions, reason)
    open_ones = _StillOpen(log, submissions)
    wait_with_progress(wait, "giving the service time to finish", report, until=open_ones.are_gone)
    latest = {one.id: log.get(one.id) for one in submissions}
    still_open = [one for one in submissions if latest[one.id].version == one.version]
    if still_open:
        report(1.0, "looking for it on the account")
        created = _look(log, client, still_open)
    is_known = any(one.request.account is None for one in still_open) and client.account is not None
    for submission in still_open:
        is_unsure = is_known and submission.request.account is None
        if is_unsure and leaves_unsure and not created[submission.id]:
            continue
        try:
            settled = _settled(log, submission, created[submission.id], seconds, is_unsure=is_unsure)
            latest[submission.id] = settled
            if settled.state in HAS_TUNE:
                unknown_accounts.note_answer(log, client, settled)
        except StaleSubmission as overtaken:
            latest[submission.id] = overtaken.submission
    unknown_accounts.record_accounts(log, client)
    return [latest[one.id] for one in submissions]


class _StillOpen:
    """Submissions that nobody else, such as the process that still sends them, has settled."""

    def __init__(self, log: Log, submissions: Sequence[Submission]) -> None:
        self._log, self._open, self._read_at = log, deque(submissions), time.monotonic()

    def are_gone(self) -> bool:
        """Return whether none are left; the log is read once a second."""
        if time.monotonic() - self._read_at < _LOOK_SECONDS:
            return False
        while self._open and self._log.get(self._open[0].id).version != self._open[0].version:
            self._open.popleft()
        self._read_at = time.monotonic()
        return not self._open


def _settled(
    log: Log, submission: Submission, created: list[Json], seconds: float, *, is_unsure: bool
) -> Submission:
    """Record what was found for a submission, which may be of another account (`is_unsure`)."""
    if not created:
        if submission.state == "sending":  # by another process, which may not have finished
            return submission
        whose = "of this key, which may be another one than that it was sent to, " if is_unsure else ""
        absent = f"it was not on the account {whose}{seconds:.0f} s later"
        if submission.state == "needs_review":
            log.record_event("look", submission=submission, problem=absent)
            return submission
        problem = f"its outcome is unknown: {after(submission)}{absent}"
        return log.change(submission, "needs_review", problem=problem)
    columns = submission.own_fields
    if submission.request.parameters.get("tune_ids"):
        prompt_ids = sorted(prompt["id"] for prompt in created)
        return log.change(submission, "adopted", reply=columns | {"prompt_ids": prompt_ids})
    tune = min(created, key=lambda tune: int(tune["id"]))  # the oldest: others made the later ones
    return log.change(submission, "adopted", tune_id=tune["id"], reply=tune | columns)


def _look(log: Log, client: Client, submissions: Sequence[Submission]) -> dict[int, list[Json]]:
    try:
        return search.created_by(log, client, submissions)
    except AstriaError as error:
        reason = f"the account could not be searched ({error})"
    with suppress(LogError):  # the error that is about to be raised says more
        for submission in submissions:
            log.record_event("look", submission=submission, problem=reason)
    raise still_unknown(submissions, reason)
