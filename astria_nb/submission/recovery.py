"""Find out what became of a tune whose answer was lost: look for it, and never send it to find out."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial

from astria_nb.client import PAGE_SIZE, Client, Json, deadline
from astria_nb.errors import (
    AstriaError,
    CancelledError,
    LogError,
    NotFoundError,
    OutcomeUnknownError,
    Problem,
)
from astria_nb.log import HAS_TUNE, UNSETTLED, Log, StaleSubmission, Submission, environment
from astria_nb.submission import _account as account
from astria_nb.submission import _unknown_accounts as unknown_accounts
from astria_nb.submission._titles import is_cut, is_of_another, standard_title
from astria_nb.utils.arguments import parse_id
from astria_nb.utils.progress import ReportProgress, wait_with_progress

SETTLE_SECONDS = 120.0
"""How long the service may still be working on a request that it has answered with an error."""
_LOOK_SECONDS = 1.0  # between two looks at what other processes have recorded
_ENDED = "its process ended while it was sent"
# By the identity of each log.
_at_work: set[tuple[object, int]] = set()
_planning: list[object] = []  # the log of each thread that is recording an intent
if hasattr(os, "register_at_fork"):  # a child process does not have those threads
    os.register_at_fork(after_in_child=_planning.clear)
    os.register_at_fork(after_in_child=_at_work.clear)
_awaited: set[tuple[object, int]] = set()  # runs whose callers were told to submit them again
# When this process first saw a submission in its state: it is at least that old.
_first_seen: dict[tuple[object, int, datetime], float] = {}


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
    """Wait until submissions must have appeared on the account, and look for all of them at once.

    Parameters
    ----------
    log : Log
    client : Client
        Of the service that they were sent to.
    submissions : sequence of Submission
        Each in the state ``unknown``, or in ``needs_review`` to look once more; or in ``sending``, if another
        process may be at it: it is left as it is unless the account has its tune.
    seconds : float
        How long the service may need after a request was sent.
    report : callable
        Called during the wait with a fraction from 0 to 1 and a text.
    waits_for : sequence of Submission, optional
        Those of them that may not have appeared yet. Default: all.
    leaves_unsure : bool
        Whether one that may be of another account is left as it is unless this account has its tune.

    Returns
    -------
    list of Submission
        In this order: ``adopted``, with the tune that was found, or ``needs_review``; or what another process
        made of it in the meantime.

    Raises
    ------
    OutcomeUnknownError
        There was not enough time to wait, or the account could not be searched. Nothing has changed.
    """
    ages = [_age(log, submission) for submission in (submissions if waits_for is None else waits_for)]
    wait = max(0.0, seconds - min(ages, default=seconds))
    if not deadline.has_time_for(wait):
        reason = f"the service may need {wait:.0f} s to finish, which is longer than the timeout"
        raise _still_unknown(submissions, reason)
    open_ones = _StillOpen(log, submissions)
    wait_with_progress(wait, "giving the service time to finish", report, until=open_ones.are_gone)
    latest = {one.id: log.get(one.id) for one in submissions}
    still_open = [one for one in submissions if latest[one.id].version == one.version]
    if still_open:
        report(1.0, "looking for it on the account")
        created = _search(log, client, still_open)
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
        self._log, self._open, self._asked = log, deque(submissions), time.monotonic()

    def are_gone(self) -> bool:
        """Return whether there are none left; the log is asked once a second."""
        if time.monotonic() - self._asked < _LOOK_SECONDS:
            return False
        while self._open and self._log.get(self._open[0].id).version != self._open[0].version:
            self._open.popleft()
        self._asked = time.monotonic()
        return not self._open


def _settled(
    log: Log, submission: Submission, created: list[Json], seconds: float, *, is_unsure: bool
) -> Submission:
    """Record what was found of a submission, which may be of another account (`is_unsure`)."""
    if not created:
        if submission.state == "sending":  # by another process, which may not be done
            return submission
        whose = "of this key, which may be another one than that it was sent to, " if is_unsure else ""
        absent = f"it was not on the account {whose}{seconds:.0f} s later"
        if submission.state == "needs_review":
            log.record_event("look", submission=submission, problem=absent)
            return submission
        problem = f"its outcome is unknown: {_after(submission)}{absent}"
        return log.change(submission, "needs_review", problem=problem)
    columns = submission.own_fields
    if submission.request.parameters.get("tune_ids"):
        prompt_ids = sorted(prompt["id"] for prompt in created)
        return log.change(submission, "adopted", reply=columns | {"prompt_ids": prompt_ids})
    tune = min(created, key=lambda tune: int(tune["id"]))  # the first: later ones are somebody else's
    return log.change(submission, "adopted", tune_id=tune["id"], reply=tune | columns)


def _search(log: Log, client: Client, submissions: Sequence[Submission]) -> dict[int, list[Json]]:
    try:
        return created_by(log, client, submissions)
    except AstriaError as error:
        reason = f"the account could not be searched ({error})"
    with suppress(LogError):  # the error that is about to be raised says more
        for submission in submissions:
            log.record_event("look", submission=submission, problem=reason)
    raise _still_unknown(submissions, reason)


def _after(submission: Submission) -> str:
    """Return why a submission's outcome is not known, as the beginning of a sentence; empty if unrecorded."""
    return f"{submission.problem}, and " if submission.problem else ""


def field_of(submission: Submission) -> str:
    """Return the field that a message about a submission names: what it is recognised by."""
    return "title" if submission.title is not None else "tune_ids"


def _still_unknown(submissions: Sequence[Submission], reason: str) -> OutcomeUnknownError:
    first, count = submissions[0], len(submissions)
    thing = "this tune was" if first.title is not None else "this run was"
    which, reason = (thing, f"{_after(first)}{reason}") if count == 1 else (f"{count} tunes were", reason)
    what = f"it is not known yet whether {which} created: {reason}"
    them = "it" if count == 1 else "them"
    hint = f"submit {them} again, which looks for {them} first"
    return OutcomeUnknownError(Problem(field_of(first), what, hint))


def recover(
    log: Log,
    client: Client,
    seconds: float | None = None,
    *,
    report: ReportProgress,
    only_ripe: bool = False,
) -> list[Submission]:
    """Settle the submissions that were left open, and return those that are settled.

    Submissions that a running process still works on are skipped, and with `only_ripe` those that would have
    to be waited for. One that was planned but never sent becomes ``not_sent``, which releases its title. One
    of unknown account that a known one does not show is left open: it may be of another account.
    """
    seconds = SETTLE_SECONDS if seconds is None else seconds
    settled, lost = list[Submission](), list[Submission]()
    for submission in list(left_open(log, client)):
        if submission.state != "planned":
            lost.append(submission)
        elif not only_ripe or _age(log, submission) >= seconds:
            with suppress(StaleSubmission):  # another process was faster
                settled.append(release(log, submission))
    if only_ripe:
        lost = [submission for submission in lost if _age(log, submission) >= seconds]
    if lost:
        try:
            looked_for = settle(log, client, lost, seconds, report, leaves_unsure=True)
            settled += [submission for submission in looked_for if submission.state not in UNSETTLED]
        except AstriaError:
            if not only_ripe:  # otherwise a failing search must not block the caller's own submission
                raise
    return settled


def recover_one(
    log: Log, client: Client, submission: Submission, seconds: float, report: ReportProgress
) -> Submission:
    """Settle one submission that was left open.

    Raises
    ------
    OutcomeUnknownError
        As from `settle`, or the user cancelled it, as `report` said.
    """
    if submission.state == "planned":
        return release(log, submission)
    lost = orphaned(log, submission)
    try:
        (settled,) = settle(log, client, [lost], seconds, report)
    except CancelledError as cancelled:  # the look-up only: what it looks for was sent before
        thing = "the tune" if lost.title is not None else "the run"
        what = f"was sent before, and it is not known yet whether {thing} was created: {_after(lost)}"
        hint = "submit it again, which looks for it first"
        field = cancelled.problems[0].field
        raise OutcomeUnknownError(Problem(field, f"{what}the look-up was cancelled", hint)) from cancelled
    return settled


def release(log: Log, submission: Submission) -> Submission:
    """Record that a submission was planned and never sent, which releases its title."""
    return log.change(submission, "not_sent", problem="its process ended before it was sent")


def left_open(log: Log, client: Client) -> Iterator[Submission]:
    """Yield the submissions that nobody works on; the time to settle starts now for all of them."""
    account_id = client.account
    for submission in log.unsettled(client.service, account_id):
        # Where the account is not known, it may be another one, which does not show what this one made.
        is_own = submission.request.account in (None, account_id)
        if not is_own or not is_left_open(log, submission):
            continue
        with suppress(StaleSubmission):
            open_one = orphaned(log, submission)
            _age(log, open_one)
            yield open_one


@contextmanager
def planning(log: Log) -> Iterator[None]:
    """Keep other threads of this process away from what is planned here, until it is `at_work`."""
    planned = log.identity
    _planning.append(planned)
    try:
        yield
    finally:
        _planning.remove(planned)


@contextmanager
def at_work(log: Log, submission: Submission) -> Iterator[None]:
    """Keep other threads of this process from treating a submission as left open."""
    key = log.identity, submission.id
    _at_work.add(key)
    try:
        yield
    finally:
        _at_work.discard(key)


def is_left_open(log: Log, submission: Submission) -> bool:
    """Return whether nobody works on a submission that is not settled."""
    is_own = submission.session == environment.session().id
    # In this order: a thread enters `at_work` before it leaves `planning`.
    if is_own and submission.version == 0 and log.identity in _planning:
        return False
    if (log.identity, submission.id) in _at_work:
        return False
    if is_own:
        return True
    return submission.state == "unknown" or log.is_abandoned(submission)


def note_awaited(log: Log, run: Submission) -> None:
    """Note that the caller was told to wait for a run, and to submit it again to get its row."""
    _awaited.add((log.identity, run.id))


def take_awaited(log: Log, run: Submission) -> bool:
    """Return whether the row of a run is what its caller waits for, who gets it now; False the next time."""
    key = log.identity, run.id
    if run.state not in HAS_TUNE or key not in _awaited:
        return False
    _awaited.discard(key)
    return True


def is_lost(log: Log, submission: Submission) -> bool:
    """Return whether the answer to a submission was lost, and nobody has seen its row since."""
    if submission.state == "adopted":
        return not log.was_returned(submission)
    is_open = submission.state in UNSETTLED and is_left_open(log, submission)
    return is_open or submission.state == "needs_review"


def _age(log: Log, submission: Submission) -> float:
    """Return the seconds since a submission changed, as a lower bound if the clock was set."""
    key = log.identity, submission.id, submission.changed_at
    first_seen = _first_seen.setdefault(key, time.monotonic())
    age = log.age(submission)
    return time.monotonic() - first_seen if age is None else age


def orphaned(log: Log, submission: Submission) -> Submission:
    """Mark a submission as ``unknown`` if its process ended while it was sent."""
    return log.change(submission, "unknown", problem=_ENDED) if submission.state == "sending" else submission


def created_by(log: Log, client: Client, submissions: Sequence[Submission]) -> dict[int, list[Json]]:
    """Return what submissions created, by their number: tunes with the title, or prompts of a run's tunes.

    The tunes of the account are listed once for all of them.
    """
    runs = {one.id: one for one in submissions if one.request.parameters.get("tune_ids")}
    created = {number: _prompts_of(log, client, run) for number, run in runs.items()}
    titled = [submission for submission in submissions if submission.id not in runs]
    return created | (_tunes_of(log, client, titled) if titled else {})


def _tunes_of(log: Log, client: Client, submissions: Sequence[Submission]) -> dict[int, list[Json]]:
    # Filtering by title is not documented, so all newer tunes are compared.
    of_title: dict[str, list[Submission]] = {}
    for submission in submissions:
        of_title.setdefault(standard_title(str(submission.title)), []).append(submission)
    tunes: dict[int, list[Json]] = {submission.id: [] for submission in submissions}
    for tune in _newer_than(min(map(_newest_known, submissions)), client.tunes):
        title = tune.get("title")
        cut = [
            one
            for one in submissions
            if is_cut(title, one.title) and not is_of_another(log, title, str(one.title))
        ]
        for submission in () if title is None else (*of_title.get(standard_title(str(title)), ()), *cut):
            is_later = tune["id"] > _newest_known(submission)
            if is_later and not any(account.contradictions(tune, submission.request)):
                tunes[submission.id].append(tune)
    return {
        one.id: [tune for tune in tunes[one.id] if tune["title"] == one.title] or tunes[one.id]
        for one in submissions
    }


def _prompts_of(log: Log, client: Client, run: Submission) -> list[Json]:
    tune_ids = run.request.parameters["tune_ids"]
    prompts = {
        prompt["id"]: prompt
        for tune_id in tune_ids
        for prompt in _newer_than(_newest_known(run), partial(_prompts, client, tune_id))
        if _is_of(prompt, run)
    }
    was_lost = run.state in ("unknown", "needs_review")
    for tune_id in tune_ids if prompts and was_lost else ():
        for other in log.runs_on(run.service, tune_id, run.request.account):
            for prompt_id in (other.record or {}).get("prompt_ids") or () if _is_later(other, run) else ():
                prompts.pop(prompt_id, None)
    return list(prompts.values())


def _is_later(other: Submission, run: Submission) -> bool:
    """Return whether a run was begun when another one must have made its prompts: none of them are its own.

    What two runs made at the same time cannot be told apart. It counts for both: a run that is taken for lost
    would be paid again.
    """
    seconds = 0.0 if run.state == "needs_review" else SETTLE_SECONDS
    return other.id != run.id and (other.planned_at - run.changed_at).total_seconds() >= seconds


def _newest_known(submission: Submission) -> int:
    return submission.newest_known_id or 0


def _prompts(client: Client, tune_id: int, **page: int | None) -> Iterator[Json]:
    with suppress(NotFoundError):  # the tune was deleted, and its prompts with it
        yield from client.prompts(tune_id, **page)


def _is_of(prompt: Json, submission: Submission) -> bool:
    """Return whether a prompt may be of a run, as far as the service shows its pack and its template."""
    request, pack = submission.request, parse_id(prompt.get("base_pack_id") or prompt.get("pack_id"))
    if pack is not None and isinstance(request.pack, int) and pack != request.pack:
        return False
    templates, template = request.parameters.get("prompt_ids"), parse_id(prompt.get("orig_prompt_id"))
    return not templates or template is None or template in templates


def _newer_than(newest_known_id: int, pages: Callable[..., Iterator[Json]]) -> Iterator[Json]:
    # A page is read to its end: a service may sort its list by something else, such as the last change.
    before_id: int | None = None
    while page := list(pages(before_id=before_id, limit=PAGE_SIZE)):
        newer = [entity for entity in page if entity["id"] > newest_known_id]
        yield from newer
        if len(newer) < len(page):
            return
        before_id = min(entity["id"] for entity in page)
