"""What a submission tells its user beside the row: as a warning, or in the form."""

from __future__ import annotations

from datetime import UTC, datetime

from astria_nb.client import Json
from astria_nb.log import Log, Submission
from astria_nb.utils.formatting import short


def title_is_taken(tune: Json) -> str:
    """Return the notice that a title is on the account, and was not in the log."""
    return (
        f"the title {short(tune.get('title'))} is on your account already: tune {tune['id']}{_made(tune)}. "
        "Nothing was sent; this is its row, and the log has it from here on. Give another title to train "
        "again"
    )


def sent_again(earlier: str) -> str:
    """Return the notice that an equal request is sent again, from the words about the earlier one."""
    return f"{earlier}; sending it again, as a new one. To get the row of the earlier one, pass once=True"


def found(earlier: str) -> str:
    """Return the notice that a replay found a tune whose answer was lost, from the words about it."""
    return (
        f"{earlier}, and its answer was lost. Nothing was sent; this is its row. To pay again, replay again"
    )


def is_lost(submission: Submission, loss: str, *, is_of_title: bool) -> str:
    """Return the notice that the row which is returned is of a tune without pictures."""
    hint = "Give another title to train again" if is_of_title else "Without once=True, it is sent again"
    return f"nothing was sent: this is the row of tune {submission.tune_id}, {loss}. {hint}"


def how_to_resolve(log: Log, submission: Submission) -> str:
    """Return the code that says of a submission that it created nothing.

    It names the log: the default one, or one that is called ``log``, may have another of this number.
    """
    return f"anb.ExperimentLog({str(log.path)!r}).resolve({submission.id})"


def _made(tune: Json) -> str:
    try:
        made = datetime.fromisoformat(str(tune.get("created_at"))).astimezone(UTC)
    except (OverflowError, ValueError):
        return ""
    return f", made on {made:%Y-%m-%d at %H:%M} UTC"
