"""The only place that sends a paid request: on record before it leaves, sent again only when that is safe."""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import pandas as pd

from astria_nb import rows
from astria_nb.client import responses
from astria_nb.client.client import Client, Json
from astria_nb.client.deadline import Deadline
from astria_nb.client.retry import retry_after_seconds
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
from astria_nb.images.preprocessing import Preprocessing
from astria_nb.log import Log
from astria_nb.log.states import StaleSubmission, Submission, TitleClaimed
from astria_nb.submission import recovery
from astria_nb.tune.encoding import Body, Encoding, OnSent, encode
from astria_nb.tune.pack import Pack
from astria_nb.tune.request import Request, differences
from astria_nb.tune.tune import Tune
from astria_nb.utils.formatting import short
from astria_nb.utils.progress import ReportProgress, wait_with_progress

_THROTTLED_SECONDS = 30.0  # to wait after a 429 that does not say how long
_REVIEW = (
    "submit it again to look for it again; if you are sure that it was not made, free its title with "
    "log.resolve(id), or give a fresh one"
)


@dataclass
class Sending:
    """One call of `submit`."""

    tune: Tune
    client: Client
    log: Log
    encoding: Encoding | None
    idempotent: bool
    settle: float
    deadline: Deadline
    on_sent: OnSent
    say: ReportProgress
    preprocessing: Preprocessing = field(default_factory=Preprocessing)

    def encoded(self) -> Body:
        """Return a body to send: each attempt takes one of its own."""
        return encode(self.tune, self.encoding, self.on_sent, self.preprocessing)

    def run(self, pack: Pack, body: Body) -> pd.DataFrame:
        """Send what is not on record yet, and return the row."""
        recovery.recover(self.log, self.client, self.settle, say=self.say, only_ripe=True)
        request = Request.of(self.tune, self.client.service, body.encoding)
        request = replace(request.as_sent(body.images, self.preprocessing), pack=pack.id)
        try:
            with ExitStack() as work:
                submission = self._claim(request, body, work)
                if submission.state in ("done", "adopted"):
                    return self._row(submission)
                work.enter_context(recovery.at_work(self.log, submission))
                return self._send(submission, body)
        except (StaleSubmission, TitleClaimed) as overtaken:
            submission = overtaken.submission
        if submission.state in ("done", "adopted"):
            return self._row(submission)
        raise _elsewhere(submission)

    def _claim(self, request: Request, body: Body, work: ExitStack) -> Submission:
        """Return a submission to send, or one that has its tune."""
        title = request.title
        submission = None if title is None else self.log.find(request.service, title)
        if submission is None:
            try:
                return self._plan(request, work)
            except TitleClaimed as claimed:
                submission = claimed.submission
        self._check_same(submission, request, body)
        submission = self._settled(submission)
        if submission.state == "not_sent":
            return self._plan(request, work)
        if not self.idempotent:
            self._raise_if_lost(submission)
        return submission

    def _plan(self, request: Request, work: ExitStack) -> Submission:
        newest = self._newest()
        with recovery.planning(self.log):
            submission = self.log.plan(request, newest, sending=True)
            work.enter_context(recovery.at_work(self.log, submission))
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
            what = f"{short(submission.title)} was submitted before with other fields: {fields}"
            raise TuneError(Problem("title", what, "give a fresh title, or submit it unchanged"))

    def _settled(self, submission: Submission) -> Submission:
        """Return what became of a submission that is on record."""
        if submission.state in ("done", "adopted"):
            return submission
        if submission.state != "needs_review" and not recovery.is_left_open(self.log, submission):
            raise _elsewhere(submission)
        return recovery.recovered(self.log, self.client, submission, self.settle, self.say)

    def _send(self, submission: Submission, body: Body) -> pd.DataFrame:
        with ExitStack() as bodies:
            doubtful, on_record = False, submission.state == "sending"
            while True:
                doubtful = doubtful or submission.state in ("unknown", "needs_review")
                if not on_record:
                    submission = self.log.change(submission, "sending", attempt=submission.attempt + 1)
                on_record = False
                submission = self._attempt(submission, body, doubtful)
                if submission.state == "unknown":
                    submission = recovery.settle(self.log, self.client, submission, self.settle, self.say)
                if submission.state in ("done", "adopted"):
                    return self._row(submission)
                if not self.idempotent:
                    self._raise_if_lost(submission)
                body = bodies.enter_context(self.encoded())

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
            seconds = self._throttled(error, submission.attempt)
            if not self.deadline.has_time_for(seconds):
                change(submission, refused, problem=str(error))
                raise
            if not doubtful:  # as planned, it would be taken for never sent
                submission = change(submission, "planned", problem=str(error))
            wait_with_progress(seconds, "the service asked to wait", self.say)
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
            raise responses.outcome_unknown("an answer without a tune")
        return reply

    def _record(self, submission: Submission, reply: Json, body: Body) -> Submission:
        """Put on record what was made; what is made stays the caller's even if that fails."""
        record = {**submission.own_fields, **reply, "image_sha256": body.image_sha256 or None}
        if reply.get("id") is None:
            # Such a reply is a bare "Prompts created" (astria-api, section 4), or tells the prompts itself.
            record = {key: record[key] for key in record.keys() & set(rows.TUNE_SCHEMA.names)}
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
            return sorted(prompt["id"] for prompt in recovery.made_by(self.client, submission))
        except AstriaError:
            return None

    def _throttled(self, error: TooManyRequestsError, attempt: int) -> float:
        seconds = retry_after_seconds(error.retry_after, self.client.now())
        # A service that always says "at once" is not asked at once for an hour.
        least = min(2.0 ** (attempt - 2), _THROTTLED_SECONDS) if attempt > 1 else 0.0
        return _THROTTLED_SECONDS if seconds is None else max(seconds, least)

    def _raise_if_lost(self, submission: Submission) -> None:
        if submission.state == "needs_review":
            raise OutcomeUnknownError(
                Problem("title", submission.problem or "its outcome is unknown", _REVIEW)
            )

    def _row(self, submission: Submission) -> pd.DataFrame:
        return rows.tune_frame([submission.record or {}], self.client.now())


def _elsewhere(submission: Submission) -> TuneError:
    what = f"{short(submission.title)} is being submitted by another kernel or thread"
    return TuneError(Problem("title", what, "wait until it is done, then submit it again"))
