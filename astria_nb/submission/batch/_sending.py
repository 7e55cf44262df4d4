"""Sending one tune of a batch."""

from __future__ import annotations

from dataclasses import replace

from astria_nb.client.deadline import Deadline
from astria_nb.client.retry import retry_after_seconds
from astria_nb.errors import AstriaError, Problem, TooManyRequestsError
from astria_nb.log import Precedents
from astria_nb.submission._exactly_once import ExactlyOnce
from astria_nb.submission._notices import which
from astria_nb.submission._options import SubmitOptions
from astria_nb.submission.batch._row_outcome import RowOutcome, of_error, of_submission
from astria_nb.tune import Body, Pack, Request, Tune, opened


class QuietObserver:
    """A `SubmitObserver` that shows nothing: the frame has the outcome of each row."""

    def on_sent(self, sent: int, total: int, /) -> None:
        """Do nothing."""

    def on_wait(self, fraction: float, text: str, /) -> None:
        """Do nothing."""

    def on_notice(self, text: str, /) -> None:
        """Do nothing."""


def send(
    tune: Tune,
    pack: Pack,
    options: SubmitOptions,
    precedents: Precedents | None = None,
    request: Request | None = None,
) -> RowOutcome:
    """Send a tune unless it is already recorded, and return the outcome; raises no error.

    Parameters
    ----------
    tune : Tune
        Its images may be unopened.
    pack : Pack
    options : SubmitOptions
        Options that do not wait: lost answers are looked up later, and the whole batch waits after a 429.
    precedents : Precedents, optional
        The log's earlier records. Default: they are read.
    request : Request, optional
        The tune's request. Default: it is created.
    """
    body: Body | None = None
    one: ExactlyOnce | None = None
    try:
        with Deadline(options.timeout) as deadline:
            one = ExactlyOnce(opened(tune), options, deadline)
            with one.encode() as body:
                request = request or one.request(pack, body.encoding, body.images)
                known = options.log.precedents(request) if precedents is None else precedents
                outcome = of_submission(one.submit(pack, body, request, known))
                found, older = (which(tune) if tune else "" for tune in (one.found, one.older))
                return replace(outcome, found=found, older=older)
    except TooManyRequestsError as error:
        seconds = retry_after_seconds(error.retry_after, options.client.now())
        outcome = of_error(error, was_sent=True)
        return replace(outcome, retry_after=-1.0 if seconds is None else seconds)
    except AstriaError as error:
        if one is not None and one.on_record is not None:
            return replace(of_submission(one.on_record), error=error)
        return of_error(error, was_sent=_was_sent(body))
    except Exception as error:  # noqa: BLE001  one row must not end the others
        what = f"failed ({type(error).__name__}: {error})"
        hint = "run the batch again, which looks for it first"
        return of_error(AstriaError(Problem("tune", what, hint)), was_sent=_was_sent(body))


def _was_sent(body: Body | None) -> bool:
    return body is not None and body.yielded == len(body)
