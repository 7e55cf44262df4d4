"""The only place that sends a paid request: on record before it leaves, sent again only when that is safe."""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Protocol

import pandas as pd

from astria_nb import replies, rows, settling
from astria_nb.client import Client, Json
from astria_nb.deadline import Deadline
from astria_nb.defaults import default_client
from astria_nb.encoding import Body, Encoding, OnSent, encode
from astria_nb.errors import (
    ApiError,
    AstriaError,
    LogError,
    NotSentError,
    OutcomeUnknownError,
    Problem,
    TooManyRequestsError,
    TuneError,
)
from astria_nb.log import Log
from astria_nb.log_states import StaleSubmission, Submission, TitleClaimed
from astria_nb.pack import Pack
from astria_nb.progress import Progress
from astria_nb.request import Request, differences
from astria_nb.retrying import seconds_asked_for
from astria_nb.tune import Tune
from astria_nb.waiting import Say, pause

TIMEOUT_SECONDS = 3600.0
_THROTTLED_SECONDS = 30.0  # to wait after a 429 that does not say how long


class Submittable(Protocol):
    """Something that knows how to submit itself, as a form does."""

    def submit(self, client: Client | None = None, *, encoding: Encoding | None = None) -> pd.DataFrame:
        """Send the tune and return its row."""


def submit(
    tune: Tune | Submittable,
    client: Client | None = None,
    *,
    encoding: Encoding | None = None,
    log: Log | None = None,
    idempotent: bool | None = None,
    settle: float | None = None,
    max_cost: float | None = None,
    timeout: float = TIMEOUT_SECONDS,
    on_sent: OnSent | None = None,
    say: Say | None = None,
) -> pd.DataFrame:
    """Create a tune, once, and return it as a row.

    The pack is asked for first, so a wrong key, pack or class is found before anything is paid for. Then the
    request is put on record, and sent. A tune whose answer is lost is looked for on the account; what was
    recorded under the same title before is not sent again.

    Parameters
    ----------
    tune : Tune or TuneForm
    client : Client, optional
        Default: your account if a key is configured, else the built-in sandbox; a form has its own.
    encoding : {"multipart", "form", "json"}, optional
        Default: multipart for a tune with files, else JSON.
    log : ExperimentLog, optional
        Where the submission is recorded. Default: ``ASTRIA_NB_LOG``, or ``astria_log.sqlite`` beside the
        notebook.
    idempotent : bool, optional
        What your account is set to. True allows a tune to be sent again that was not found; by default it is
        not.
    settle : float, optional
        Seconds that the service has to finish before a tune whose answer was lost is looked for; default 120.
    max_cost : float, optional
        US dollars; what is estimated to cost more is not sent.
    timeout : float
        Seconds for all of it, waits included.
    on_sent : callable, optional
        Called with (bytes sent, bytes in all) during the upload, instead of a progress display.
    say : callable, optional
        Called with a fraction from 0 to 1 and words during waits, instead of a progress display.

    Returns
    -------
    pandas.DataFrame
        One row, as `astria_nb.rows.tune_frame` describes it; times in UTC. A run on existing tunes makes no
        tune: its row has no ``id`` but the ``prompt_ids`` that it made (null where they could not be had).

    Raises
    ------
    TuneError
        The tune cannot be sent in this encoding, the pack has no such class, it costs more than `max_cost`,
        or its title was used for another request. Nothing was sent.
    LogError
        It could not be put on record. Nothing was sent.
    ApiError, NotSentError
        The service refused, or was not reached. Nothing was created, and the title is free.
    OutcomeUnknownError
        The answer was lost and the tune was not found: it may come yet. It is on record, and submitting it
        again looks for it again.

    Notes
    -----
    Which answers mean what, and how long to wait: astria-api, section 8. Interrupt it at will: what is on
    record is settled by the next call, or by ``ExperimentLog.recover``.

    Examples
    --------
    >>> import astria_nb as anb
    >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> with anb.Sandbox(deterministic=True) as sandbox:
    ...     row = anb.submit(tune, sandbox.client())
    >>> print(*row.loc[0, ["title", "pack", "status", "encoding"]])
    t 43 queued json
    """
    if not isinstance(tune, Tune):
        return tune.submit(client, encoding=encoding)
    client, log = client or default_client(), log or Log()
    settle = settling.SETTLE_SECONDS if settle is None else settle
    with Progress("Submitting") as progress, Deadline(timeout) as deadline:
        sending = _Sending(
            tune, client, log, encoding, bool(idempotent), settle, deadline,
            on_sent or progress.bytes, say or progress.show,
        )  # fmt: skip
        # Encoding comes first: it finds what is wrong on this machine, and opens the files.
        with encode(tune, encoding, sending.on_sent) as body:
            pack = client.pack(tune.pack)
            _check(tune, pack, max_cost)
            return sending.run(pack, body)


def _check(tune: Tune, pack: Pack, max_cost: float | None) -> None:
    if problem := pack.problem_with(tune.name):
        raise TuneError(problem)
    if max_cost is None:
        return
    prices = [each.price_mc for each in pack.classes if each.name == tune.name]
    price = max((each for each in prices if each is not None), default=None)
    if price is None:
        raise TuneError(Problem("max_cost", "cannot be kept: the pack tells no price", "leave it out"))
    if price > max_cost * 100_000:
        what = f"is ${max_cost:.2f}, and this run costs about ${price / 100_000:.2f}"
        raise TuneError(Problem("max_cost", what, "raise it, or choose another class or pack"))


@dataclass
class _Sending:
    """One call of `submit`."""

    tune: Tune
    client: Client
    log: Log
    encoding: Encoding | None
    idempotent: bool
    settle: float
    deadline: Deadline
    on_sent: OnSent
    say: Say

    def run(self, pack: Pack, body: Body) -> pd.DataFrame:
        """Send what is not on record yet, and return the row."""
        settling.recover(self.log, self.client, self.settle, say=self.say, only_ripe=True)
        request = replace(Request.of(self.tune, self.client.service, body.encoding), pack=pack.id)
        try:
            submission = self._claim(request, body)
            if submission.state in ("done", "adopted"):
                return self._row(submission)
            with settling.at_work(self.log, submission):
                return self._send(submission, body)
        except StaleSubmission as stale:
            submission = stale.submission
        if submission.state in ("done", "adopted"):
            return self._row(submission)
        raise _elsewhere(submission)

    def _claim(self, request: Request, body: Body) -> Submission:
        """Return a submission to send, or one that has its tune."""
        try:
            return self.log.plan(request, self._newest())
        except TitleClaimed as claimed:
            submission = claimed.submission
        self._check_same(submission, request, body)
        submission = self._settled(submission)
        if submission.state == "not_sent":
            return self.log.plan(request, self._newest())
        if not self.idempotent:
            self._raise_if_lost(submission)
        return submission

    def _newest(self) -> int:
        """Return the newest id so far: of a tune, or of a prompt for a run on existing tunes."""
        lists = [self.client.prompts(each) for each in self.tune.tune_ids] or [self.client.tunes()]
        return max(next((each["id"] for each in found), 0) for found in lists)

    def _check_same(self, submission: Submission, request: Request, body: Body) -> None:
        """Refuse another request under a title that is taken."""
        request = request.with_sha256(body.image_sha256)
        if found := differences(submission.request, request):
            fields = ", ".join(dict.fromkeys(each.field for each in found))
            what = f"{submission.title!r} was submitted before with other fields: {fields}"
            raise TuneError(Problem("title", what, "give a fresh title, or submit it unchanged"))

    def _settled(self, submission: Submission) -> Submission:
        """Return what became of a submission that is on record."""
        if submission.state in ("done", "adopted"):
            return submission
        if submission.state != "needs_review" and not settling.is_left_open(self.log, submission):
            raise _elsewhere(submission)
        return settling.recovered(self.log, self.client, submission, self.settle, self.say)

    def _send(self, submission: Submission, body: Body) -> pd.DataFrame:
        with ExitStack() as bodies:
            doubtful = False
            while True:
                doubtful = doubtful or submission.state in ("unknown", "needs_review")
                submission = self.log.change(submission, "sending", attempt=submission.attempt + 1)
                submission = self._attempt(submission, body, doubtful)
                if submission.state == "unknown":
                    submission = settling.settle(self.log, self.client, submission, self.settle, self.say)
                if submission.state in ("done", "adopted"):
                    return self._row(submission)
                if not self.idempotent:
                    self._raise_if_lost(submission)
                # A body is sent once: another attempt takes another one.
                body = bodies.enter_context(encode(self.tune, self.encoding, self.on_sent))

    def _attempt(self, submission: Submission, body: Body, doubtful: bool) -> Submission:
        """Send once; return the submission ``done``, ``unknown``, or ``planned`` again after a 429.

        What a doubtful one is refused for does not tell what became of its earlier attempt: it needs review,
        and its title stays taken.
        """
        change = self.log.change
        refused, not_sent = ("needs_review",) * 2 if doubtful else ("rejected", "not_sent")
        try:
            reply = self._checked(self.client.create_tune(self.tune.pack, body))
        except OutcomeUnknownError as error:
            return change(submission, "unknown", problem=str(error))
        except TooManyRequestsError as error:
            seconds = self._throttled(error)
            if not self.deadline.allows(seconds):
                change(submission, refused, problem=str(error))
                raise
            if not doubtful:  # as planned, it would be taken for never sent
                submission = change(submission, "planned", problem=str(error))
            pause(seconds, "the service asked to wait", self.say)
            return submission
        except (NotSentError, TuneError) as error:
            change(submission, not_sent, problem=str(error))
            raise
        except ApiError as error:
            change(submission, refused, problem=str(error))
            raise
        except BaseException as error:
            # Interrupted: half a request makes nothing.
            whole = body.given == len(body)
            change(submission, "unknown" if whole else not_sent, problem=type(error).__name__)
            raise
        return self._record(submission, reply, body)

    def _checked(self, reply: Json) -> Json:
        if "error" in reply or not (self.tune.tune_ids or isinstance(reply.get("id"), int)):
            raise replies.unknown("an answer without a tune")
        return reply

    def _record(self, submission: Submission, reply: Json, body: Body) -> Submission:
        """Put on record what was made; what is made stays the caller's even if that fails."""
        record = {**settling.ours(submission), **reply, "image_sha256": body.image_sha256 or None}
        if reply.get("id") is None:
            # Such a reply is a bare "Prompts created" (astria-api, section 4), or tells the prompts itself.
            record = {key: record[key] for key in record.keys() & set(rows.TUNE.names)}
            record["prompt_ids"] = reply.get("prompt_ids") or self._prompts_made(submission)
        hashes = body.image_sha256
        try:
            return self.log.change(
                submission, "done", tune_id=reply.get("id"), reply=record, image_sha256=hashes
            )
        except (LogError, StaleSubmission) as error:
            warnings.warn(f"the tune was made, but not recorded as made ({error})", stacklevel=5)
            return replace(submission, state="done", record=record)

    def _prompts_made(self, submission: Submission) -> list[int] | None:
        """Return the prompts of a run; None where they cannot be had, for the run is paid for."""
        try:
            return sorted(prompt["id"] for prompt in settling.made_by(self.client, submission))
        except AstriaError:
            return None

    def _throttled(self, error: TooManyRequestsError) -> float:
        seconds = seconds_asked_for(error.retry_after, self.client.now())
        return _THROTTLED_SECONDS if seconds is None else seconds

    def _raise_if_lost(self, submission: Submission) -> None:
        if submission.state == "needs_review":
            raise OutcomeUnknownError(
                Problem("title", submission.problem or "its outcome is unknown", _REVIEW)
            )

    def _row(self, submission: Submission) -> pd.DataFrame:
        return rows.tune_frame([submission.record or {}], self.client.now())


def _elsewhere(submission: Submission) -> TuneError:
    what = f"{submission.title!r} is being submitted by another kernel or thread"
    return TuneError(Problem("title", what, "wait until it is done, then submit it again"))


_REVIEW = (
    "submit it again to look for it again; if you are sure that it was not made, free its title with "
    "log.resolve(id), or give a fresh one"
)
