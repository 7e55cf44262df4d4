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
    shown, more = ", ".join(found[:_SHOWN]), count - _SHOWN
    shown += f", and {more:,} more" if more > 0 else ""
    return (
        f"{these} on your account already, under the same title: {shown}. Nothing was sent for "
        f"{'it' if count == 1 else 'them'}. To train again, because a tune is of other photos than the row, "
        "give the row another key or title"
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


def how_to_resolve(log: Log, submission: Submission) -> str:
    """Return the code that records that a submission created nothing.

    It names the log: the default log, or one called ``log``, may have another submission with this number.
    """
    return f"anb.ExperimentLog({str(log.path)!r}).resolve({submission.id})"


def _made(tune: Json) -> str:
    try:
        made = datetime.fromisoformat(str(tune.get("created_at"))).astimezone(UTC)
    except (OverflowError, ValueError):
        return ""
    return f", made on {made:%Y-%m-%d at %H:%M} UTC"
