"""Notices for the user in addition to the row: as a warning, or in the form."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from astria_nb.client import Json
from astria_nb.errors import AstriaError
from astria_nb.log import Log, Submission
from astria_nb.utils.formatting import short

_SHOWN = 3  # tunes of a batch that are named


def title_is_taken(tune: Json) -> str:
    """Return the notice that a title is on the account, but was not in the log."""
    return (
        f"the title {short(tune.get('title'))} is on your account already: {which(tune)}. "
        "Nothing was sent; this is its row, and the log has it from here on. Give another title to train "
        "again"
    )


def titles_are_taken(found: Sequence[str]) -> str:
    """Return the notice that rows of a batch are tunes that only the account had; `found` describes each."""
    count = len(found)
    these = "1 row is a tune that was" if count == 1 else f"{count:,} rows are tunes that were"
    return (
        f"{these} on your account already, under the same title: {_shown(found)}. Nothing was sent for "
        f"{'it' if count == 1 else 'them'}. To train again, because a tune is of other photos than the row, "
        "give the row another key or title"
    )


def is_older(tune: Json) -> str:
    """Return the notice that the service answered a request with a tune that was there before it."""
    return (
        f"the service answered with a tune that is older than this request: {which(tune)}. It knew the title "
        f"{short(tune.get('title'))} already, and has trained nothing, whatever photos were sent now. Give "
        "another title to train them"
    )


def are_older(tunes: Sequence[str]) -> str:
    """Return the notice that rows of a batch were answered with older tunes; each is given in words."""
    count = len(tunes)
    these = "1 row" if count == 1 else f"{count:,} rows"
    return (
        f"the service answered {these} with tunes that are older than this batch: {_shown(tunes)}. It knew "
        "their titles already, and has trained nothing for them, whatever photos were sent now. Give such a "
        "row another key or title to train it"
    )


def which(tune: Json) -> str:
    """Describe a tune of the account, and when it was made."""
    return f"tune {tune['id']}{_made(tune)}"


def sent_again(earlier: str) -> str:
    """Return the notice that an equal request is sent again, with a description of the earlier one."""
    return f"{earlier}; sending it again, as a new one. To get the row of the earlier one, pass once=True"


def found(earlier: str) -> str:
    """Return the notice that a replay found a tune whose answer was lost, with a description of it."""
    return (
        f"{earlier}, and its answer was lost. Nothing was sent; this is its row. To pay again, replay again"
    )


def was_awaited() -> str:
    """Return the notice that the returned run was already being submitted when it was requested."""
    return (
        "this run was already being submitted when you requested it. Nothing was sent; this "
        "is its row. To pay for another run, submit it again"
    )


def is_lost(submission: Submission, loss: str, *, is_of_title: bool) -> str:
    """Return the notice that the returned row belongs to a tune without pictures."""
    hint = "Give another title to train again" if is_of_title else "Without once=True, it is sent again"
    return f"nothing was sent: this is the row of tune {submission.tune_id}, {loss}. {hint}"


def reason_of(error: BaseException) -> str:
    """Return why something failed, in words; of an error that is not ours, its type only."""
    return str(error) if isinstance(error, AstriaError) else type(error).__name__


def are_not_shown(submissions: Sequence[Submission], account: str | None) -> str:
    """Return the notice that rows are returned whose tunes the account does not have: it may be another's."""
    count = len(submissions)
    which = _shown([str(one.tune_id) for one in submissions])
    is_one = count == 1
    rows, them = ("this is the row of tune", "it") if is_one else ("rows are of tunes", "them")
    return (
        f"nothing was sent: {rows} {which}, which {'is' if is_one else 'are'} not on the account of this key "
        f"({account}), and the log does not say whose. If another account has {them}, pass a client with the "
        f"key of that one; to pay for {them} on this account, give another title"
    )


def how_to_resolve(log: Log, submission: Submission) -> str:
    """Return the code that records that a submission created nothing.

    It names the log: the default log, or one called ``log``, may have another submission with this number.
    """
    return f"anb.ExperimentLog({str(log.path)!r}).resolve({submission.id})"


def _shown(tunes: Sequence[str]) -> str:
    more = len(tunes) - _SHOWN
    return ", ".join(tunes[:_SHOWN]) + (f", and {more:,} more" if more > 0 else "")


def _made(tune: Json) -> str:
    try:
        made = datetime.fromisoformat(str(tune.get("created_at"))).astimezone(UTC)
    except (OverflowError, ValueError):
        return ""
    return f", made on {made:%Y-%m-%d at %H:%M} UTC"
