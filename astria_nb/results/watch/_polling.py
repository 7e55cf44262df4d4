"""The polling loop: how often the service is polled, and when to give up."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pandas as pd

from astria_nb.client import Client
from astria_nb.client.deadline import Deadline
from astria_nb.client.retry import is_transient, retry_after_seconds
from astria_nb.errors import AstriaError, TooManyRequestsError, UnexpectedReplyError
from astria_nb.results.watch._poll_result import PollResult
from astria_nb.results.watch._poller import Poller
from astria_nb.utils.formatting import format_duration

_MIN_INTERVAL, _GROWTH, _MAX_INTERVAL = 0.01, 1.5, 60.0  # seconds; an interval of zero would not grow
_MIN_INTERVAL_AFTER_429 = 2.0  # seconds
_MAX_OUTAGE = 600.0  # seconds without an answer before the error is raised
_MAX_RETRY_AFTER = 3600.0  # seconds; a longer Retry-After is reduced to this
_LAST_ANSWER = 2.0  # seconds that a request may take at the end of the wait
_ETA_INTERVAL = 1.0  # seconds; the shortest pause before a poll that is timed to an eta


def poll_until_finished(
    frame: pd.DataFrame,
    client: Client,
    until: str,
    *,
    poll: float,
    sleep: Callable[[float], object],
    timeout: float = math.inf,
) -> Iterator[PollResult]:
    """Poll tunes until all of them are finished.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows as `submit` returns them.
    client : Client
    until : {"trained", "prompts"}
        As for `wait`.
    poll : float
        Seconds between the first two polls, at least 0.01.
    sleep : callable
        Called with the seconds until the next poll; must block for that long.
    timeout : float
        Seconds after which a request has two seconds at most: a poll then ends soon, with a result or a
        failure. The caller decides whether there is another one.

    Yields
    ------
    PollResult
        One per poll. A poll that failed yields the previous state with ``failure`` set.

    Raises
    ------
    ApiError, NotSentError
        As for `wait`. A 429 only delays the next poll.
    """
    end = time.monotonic() + timeout
    poll = max(poll, _MIN_INTERVAL)

    def limit() -> Deadline:
        return Deadline(max(end - time.monotonic(), _LAST_ANSWER))

    poller, interval, min_interval = Poller(frame, client, until, limit), poll, 0.0
    result, outage = PollResult(frame, 0.0, ""), 0.0
    while result.fraction_done < 1:
        throttled = client.throttled
        try:
            result = poller.poll()
        except AstriaError as error:
            seconds, reason = _retry_delay(error, client, outage)
            failure = f"{reason}, trying again in {format_duration(seconds)}"
            yield replace(result, failure=failure, changed_tunes=(), seconds_left=None)
            outage += 0.0 if isinstance(error, TooManyRequestsError) else seconds
            sleep(seconds)
            continue
        outage = 0.0
        yield result
        if result.changed_tunes:
            interval = poll
        was_throttled = client.throttled > throttled
        min_interval = max(2 * min_interval, _MIN_INTERVAL_AFTER_429) if was_throttled else min_interval / 2
        seconds = min(max(interval, poll * poller.request_count, min_interval), _MAX_INTERVAL)
        if poller.seconds_to_next_eta is not None:
            seconds = min(seconds, max(poller.seconds_to_next_eta, min(poll, _ETA_INTERVAL), min_interval))
        if result.fraction_done < 1:
            sleep(seconds)
        interval = min(interval * _GROWTH, _MAX_INTERVAL)


def _retry_delay(error: AstriaError, client: Client, outage: float) -> tuple[float, str]:
    """Return the seconds to wait after a failed poll and why; raise errors that another poll cannot fix."""
    if isinstance(error, TooManyRequestsError):
        retry_after = retry_after_seconds(error.retry_after, client.now()) or _MAX_INTERVAL
        return min(retry_after, _MAX_RETRY_AFTER), "the service is rate limiting"
    if not is_transient(error) or outage >= _MAX_OUTAGE:
        raise error
    reason = "the service does not answer"
    if isinstance(error, UnexpectedReplyError) and error.page:
        reason = f"the web page {error.page!r} came instead of an answer"
    return min(max(outage, _MIN_INTERVAL_AFTER_429), _MAX_INTERVAL), reason
