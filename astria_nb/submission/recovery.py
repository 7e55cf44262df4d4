"""Finding out what became of a tune whose answer was lost: look for it, and never send it to find out."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import takewhile
from pathlib import Path

from astria_nb.client import deadline
from astria_nb.client.client import Client, Json
from astria_nb.errors import AstriaError, OutcomeUnknownError, Problem
from astria_nb.log import Log, environment
from astria_nb.log.states import StaleSubmission, Submission
from astria_nb.utils.progress import ReportProgress, wait_with_progress

SETTLE_SECONDS = 120.0
"""How long the service may still be at work on a request that it has answered with an error."""
_ENDED = "its process ended while it was sent"
_at_work: set[tuple[Path, int]] = set()
_planning: list[Path] = []  # a log for each thread that is putting an intent on record
if hasattr(os, "register_at_fork"):  # the threads stay behind
    os.register_at_fork(after_in_child=_planning.clear)
# When this process first saw a submission as it stands: so old it is at least.
_seen: dict[tuple[Path, int, datetime], float] = {}


def settle(
    log: Log, client: Client, submission: Submission, seconds: float, say: ReportProgress
) -> Submission:
    """Wait until a submission must show on the account, and look for it.

    Parameters
    ----------
    log : Log
    client : Client
        Of the service that it was sent to.
    submission : Submission
        In the state ``unknown``, or ``needs_review`` for another look.
    seconds : float
        How long after it was sent the service may need.
    say : callable
        Is told how the wait goes on.

    Returns
    -------
    Submission
        ``adopted``, with the tune that was found, or ``needs_review``.

    Raises
    ------
    OutcomeUnknownError
        There was no time to wait, or the account could not be looked at; nothing has changed.
    """
    wait = max(0.0, seconds - _age(log, submission))
    if not deadline.has_time_for(wait):
        raise _still_unknown(f"the service may need {wait:.0f} s to finish, longer than there was time")
    wait_with_progress(wait, "giving the service time to finish", say)
    say(1.0, "looking for it on the account")
    found = _looked_for(client, submission)
    if not found:
        problem = f"its outcome is unknown, and it was not on the account {seconds:.0f} s later"
        if submission.state == "needs_review":
            log.note("look", submission=submission, problem=problem)
            return submission
        return log.change(submission, "needs_review", problem=problem)
    if submission.request.parameters.get("tune_ids"):
        prompt_ids = sorted(prompt["id"] for prompt in found)
        return log.change(submission, "adopted", reply=submission.own_fields | {"prompt_ids": prompt_ids})
    tune = found[-1]  # the oldest: later ones were sent by somebody else
    return log.change(submission, "adopted", tune_id=tune["id"], reply=tune | submission.own_fields)


def _looked_for(client: Client, submission: Submission) -> list[Json]:
    try:
        return made_by(client, submission)
    except AstriaError as error:
        failure = str(error)
    raise _still_unknown(f"the account could not be looked at ({failure})")


def _still_unknown(why: str) -> OutcomeUnknownError:
    what = f"nobody knows yet whether this tune was made: {why}"
    return OutcomeUnknownError(Problem("title", what, "submit it again, which looks for it first"))


def recover(
    log: Log, client: Client, seconds: float | None = None, *, say: ReportProgress, only_ripe: bool = False
) -> list[Submission]:
    """Settle every submission that was left open, and return those that were.

    Those that a living process still works on are left to it; so are those, if `only_ripe`, that would have
    to be waited for. One that was planned and never sent is ``not_sent``: its title is free again.
    """
    seconds = SETTLE_SECONDS if seconds is None else seconds
    settled = []
    for submission in list(_left_open(log, client.service)):
        if only_ripe and _age(log, submission) < seconds:
            continue
        try:
            settled.append(recovered(log, client, submission, seconds, say))
        except StaleSubmission:
            continue  # another process was faster
        except AstriaError:
            if not only_ripe:  # one that cannot be looked for now holds up no other
                raise
    return settled


def _left_open(log: Log, service: str) -> Iterator[Submission]:
    """Find what nobody is at work on; for all of it together, the service's time to finish begins here."""
    for submission in log.unsettled(service):
        if not is_left_open(log, submission):
            continue
        with suppress(StaleSubmission):
            opened = _orphaned(log, submission)
            _age(log, opened)
            yield opened


@contextmanager
def planning(log: Log) -> Iterator[None]:
    """Keep other threads of this process from what is planned here, until it is `at_work`."""
    _planning.append(log.path)
    try:
        yield
    finally:
        _planning.remove(log.path)


@contextmanager
def at_work(log: Log, submission: Submission) -> Iterator[None]:
    """Keep other threads of this process from taking a submission for left open."""
    key = log.path, submission.id
    _at_work.add(key)
    try:
        yield
    finally:
        _at_work.discard(key)


def is_left_open(log: Log, submission: Submission) -> bool:
    """Tell whether nobody is at work on a submission that is not settled."""
    mine = submission.session == environment.session().id
    # In this order: a thread is at work on what it has planned before it ends planning.
    if mine and submission.version == 0 and log.path in _planning:
        return False
    if (log.path, submission.id) in _at_work:
        return False
    if mine:
        return True
    return submission.state == "unknown" or log.is_abandoned(submission)


def _age(log: Log, submission: Submission) -> float:
    """Return how long ago a submission changed, in seconds; never more, whatever became of the clock."""
    seen = _seen.setdefault((log.path, submission.id, submission.changed_at), time.monotonic())
    known = log.age(submission)
    return time.monotonic() - seen if known is None else known


def recovered(
    log: Log, client: Client, submission: Submission, seconds: float, say: ReportProgress
) -> Submission:
    """Settle one submission that was left open."""
    if submission.state == "planned":
        return log.change(submission, "not_sent", problem="its process ended before it was sent")
    return settle(log, client, _orphaned(log, submission), seconds, say)


def _orphaned(log: Log, submission: Submission) -> Submission:
    """Return it as ``unknown`` if its process ended while it was sent; when that was is not known."""
    return log.change(submission, "unknown", problem=_ENDED) if submission.state == "sending" else submission


def made_by(client: Client, submission: Submission) -> list[Json]:
    """Return what a submission made, newest first: tunes of its title, or prompts of its tunes."""
    known = submission.newest_known_id or 0
    tune_ids = submission.request.parameters.get("tune_ids") or []
    if tune_ids:
        found = {each["id"]: each for tune_id in tune_ids for each in _since(client.prompts(tune_id), known)}
        return list(found.values())
    # The title's filter is not documented, so every tune since is looked at.
    return [each for each in _since(client.tunes(), known) if each.get("title") == submission.title]


def _since(newest_first: Iterator[Json], known: int) -> Iterator[Json]:
    return takewhile(lambda each: each["id"] > known, newest_first)
