"""The service's answer to a paid request."""

from __future__ import annotations

from astria_nb.client import Json, error_message, error_text, responses
from astria_nb.log import Submission
from astria_nb.utils.arguments import parse_id
from astria_nb.utils.service_clocks import clocks
from astria_nb.utils.times import parse_time

_CLOCK_SECONDS = 60.0  # by which the clocks of one service may differ


def checked_reply(reply: Json, *, is_run: bool) -> Json:
    """Return a reply that says that something was created; its ``id`` is an int, or None if it has none.

    Raises
    ------
    OutcomeUnknownError
        The reply does not say that anything was created.
    """
    number = reply.get("id")
    number = int(number) if isinstance(number, float) and number.is_integer() else number
    is_created = parse_id(number) is not None or (type(number) is int and number > 0)
    # The answer to a run needs no id: then it must not report an error.
    is_started = is_run and (bool(reply.get("prompt_ids")) or not error_message(reply))
    if reply.get("error") or not (is_created or is_started):
        words = error_text(reply)
        raise responses.outcome_unknown("an answer without a tune" + (f": {words}" if words else ""))
    return {**reply, "id": parse_id(number)}


def is_older(reply: Json, submission: Submission) -> bool:
    """Return whether a tune was there before its request, by its id or by the service's own clock."""
    if reply["id"] is not None and reply["id"] <= (submission.newest_known_id or 0):
        return True
    made, ahead = parse_time(reply.get("created_at")), clocks().get(submission.service)
    if made is None or ahead is None:
        return False
    # Who writes the answer's date may have another clock than who makes the tune.
    return (submission.planned_at + ahead - made).total_seconds() > _CLOCK_SECONDS
