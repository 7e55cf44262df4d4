"""The errors about submissions whose outcome is not known."""

from __future__ import annotations

from collections.abc import Sequence

from astria_nb.errors import CancelledError, OutcomeUnknownError, Problem
from astria_nb.log import Log, Submission
from astria_nb.submission._notices import how_to_resolve


def after(submission: Submission) -> str:
    """Return why a submission's outcome is not known, as the beginning of a sentence; empty if unrecorded."""
    return f"{submission.problem}, and " if submission.problem else ""


def field_of(submission: Submission) -> str:
    """Return the field that a message about a submission names: what it is recognised by."""
    return "title" if submission.title is not None else "tune_ids"


def still_unknown(submissions: Sequence[Submission], reason: str) -> OutcomeUnknownError:
    """Return the error that it is still not known what became of submissions, with the reason."""
    first, count = submissions[0], len(submissions)
    thing = "this tune was" if first.title is not None else "this run was"
    which, reason = (thing, f"{after(first)}{reason}") if count == 1 else (f"{count} tunes were", reason)
    what = f"it is not known yet whether {which} created: {reason}"
    them = "it" if count == 1 else "them"
    hint = f"submit {them} again, which looks for {them} first"
    return OutcomeUnknownError(Problem(field_of(first), what, hint))


def lookup_cancelled(submission: Submission, cancelled: CancelledError) -> OutcomeUnknownError:
    """Return the error that the user cancelled the look-up of a submission, which was sent before."""
    thing = "the tune" if submission.title is not None else "the run"
    what = f"was sent before, and it is not known yet whether {thing} was created: {after(submission)}"
    hint = "submit it again, which looks for it first"
    return OutcomeUnknownError(Problem(cancelled.problems[0].field, f"{what}the look-up was cancelled", hint))


def needs_review(log: Log, submission: Submission) -> OutcomeUnknownError:
    """Return the error that a submission was looked for, and not found."""
    what = submission.problem or "its outcome is unknown"
    hint = (
        "submit it again to look for it again; if you are sure that it was not created, say so with "
        f"{how_to_resolve(log, submission)}"
    )
    return OutcomeUnknownError(Problem(field_of(submission), what, hint))
