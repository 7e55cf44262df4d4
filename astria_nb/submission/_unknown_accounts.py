"""Submissions whose account the service did not tell when they were sent: recorded once it is proven.

A tune that is answered to a key, under its title, is of the key's account. One that is not shown to it may be
of another account.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from astria_nb.client import PAGE_SIZE, Client, fetch_latest
from astria_nb.errors import AstriaError, LogError
from astria_nb.log import Log, Submission

# Submissions whose tunes were answered to a key, until it is known whose it is: by log, service and key.
_answered: dict[tuple[object, str, str], list[Submission]] = {}


def note_answer(log: Log, client: Client, submission: Submission) -> None:
    """Note that the tune of a submission was answered to the key of a client."""
    if submission.request.account is None and client.service == client.base_url:
        _answered.setdefault((log.identity, client.service, client.key_end), []).append(submission)


def record_accounts(log: Log, client: Client) -> None:
    """Record the account of the submissions that were noted, if it is known by now."""
    key = log.identity, client.service, client.key_end
    if key not in _answered or (account := client.account) is None:
        return
    for submission in _answered.pop(key, []):
        reply = {"id": submission.tune_id, "title": (submission.record or {}).get("title")}
        with suppress(LogError):  # then a poll records it
            log.record_event("poll", submission=submission, reply=reply, account=account)


def is_unsure(submission: Submission, client: Client) -> bool:
    """Return whether a submission may be of another account than that of a client, which is known."""
    return submission.request.account is None and client.account is not None


def not_shown(log: Log, client: Client, submissions: Sequence[Submission]) -> list[Submission]:
    """Return those of unknown account whose tunes the client's account does not have.

    The others are recorded as its own. Nothing is returned while the account is not known, or cannot be read.
    """
    unsure = {
        one.tune_id: one for one in submissions if one.request.account is None and one.tune_id is not None
    }
    if not unsure or (account := client.account) is None:
        return []
    try:
        tunes = fetch_latest(
            unsure, lambda before: client.tunes(before_id=before, limit=PAGE_SIZE), client.tune
        )
        for tune_id, tune in tunes.items():
            if tune is not None:
                log.record_event("poll", submission=unsure[tune_id], reply=tune, account=account)
    except AstriaError:
        return []
    return [unsure[tune_id] for tune_id, tune in tunes.items() if tune is None]
