"""How long ago a submission changed, and how long the service may still be working on it."""

from __future__ import annotations

import time
from datetime import datetime

from astria_nb.log import Log, Submission

SETTLE_SECONDS = 120.0
"""How long the service may still be working on a request that it has answered with an error."""
# When this process first saw a submission in its state: it is at least that old.
_first_seen: dict[tuple[object, int, datetime], float] = {}


def age(log: Log, submission: Submission) -> float:
    """Return the seconds since a submission changed, as a lower bound if the clock was set."""
    key = log.identity, submission.id, submission.changed_at
    first_seen = _first_seen.setdefault(key, time.monotonic())
    seconds = log.age(submission)
    return time.monotonic() - first_seen if seconds is None else seconds
