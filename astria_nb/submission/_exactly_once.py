"""The only place that sends a paid request: recorded before it is sent, and repeated only if that is safe."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace

import pandas as pd

from astria_nb import rows
from astria_nb.client import Json, complaint_in, responses, words_in
from astria_nb.client.deadline import Deadline
from astria_nb.client.retry import retry_after_seconds
from astria_nb.errors import (
    ApiError,
    AstriaError,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    Problem,
    RejectedError,
    TooManyRequestsError,
    TuneError,
    UnreachableError,
)
from astria_nb.images import SentImage
from astria_nb.log import (
    HAS_TUNE,
    Precedents,
    RequestClaimed,
    SameContentRecorded,
    StaleSubmission,
    Submission,
)
from astria_nb.submission import _notices as notices
from astria_nb.submission import _repeats as repeats
from astria_nb.submission import _unknown_accounts as unknown_accounts
from astria_nb.submission import recovery
from astria_nb.submission._address_remarks import warn_of_addresses
from astria_nb.submission._balance_remark import warn_of_balance
from astria_nb.submission._options import SubmitOptions
from astria_nb.submission._titles import is_of_another
from astria_nb.tune import Body, Encoding, Pack, Request, Tune, encode, estimate
from astria_nb.utils.arguments import parse_id
from astria_nb.utils.arrow import parse_time
from astria_nb.utils.formatting import short
from astria_nb.utils.interrupts import arrival
from astria_nb.utils.progress import wait_with_progress
from astria_nb.utils.service_clocks import clocks
from astria_nb.utils.warn import warn

_THROTTLED_SECONDS = 30.0  # after a 429 without Retry-After
_CLOCK_SECONDS = 60.0  # by which the clocks of one service may differ


class ExactlyOnce:
    """One submission of one tune.

    Parameters
    ----------
    tune : Tune
    options : SubmitOptions
    deadline : Deadline
        Of the whole submission; already entered.

    Attributes
    ----------
    on_record : Submission or None
        Set before the error that another kernel, thread or worker is submitting it, or that it was not found.
    found : dict or None
        The account's tune of this title, if the log had nothing of it: it may be somebody else's.
    is_sent : bool
        Whether this submission has sent it.
    older : dict or None
        The tune that the service answered with, if it was there before: its photos may be others.
    """

    on_record: Submission | None = None
    found: Json | None = None
    is_sent = False
    older: Json | None = None

    def __init__(self, tune: Tune, options: SubmitOptions, deadline: Deadline) -> None:
        self._tune, self._options, self._deadline = tune, options, deadline
        self._client, self._log = options.client, options.log
        self._on_wait = options.observer.on_wait
        # An account recognises titles of tunes; a run on existing tunes makes none.
        self._is_recognised = options.idempotent and not tune.tune_ids
        self._slot = ExitStack()
        self._settle = recovery.SETTLE_SECONDS if options.settle is None else options.settle

    def encode(self) -> Body:
        """Return a new request body; each attempt needs its own."""
        options = self._options
        observer = options.observer
        return encode(self._tune, options.encoding, observer.on_sent, options.preprocessing, observer.on_wait)

    def run(self, pack: Pack, body: Body) -> pd.DataFrame:
        """Send the tune unless it is on record already, and return its row."""
        request = self.request(pack, body.encoding, body.images)
        precedents = self._log.precedents(request)
        if precedents.has_unsettled:
            recovery.recover(self._log, self._client, self._settle, report=self._on_wait, only_ripe=True)
            precedents = self._log.precedents(request)
        submission = self.submit(pack, body, request, precedents)
        if not self.is_sent and unknown_accounts.is_unsure(submission, self._client):
            submission = self._with_account(submission)
        if self.older is not None:
            self._options.observer.on_notice(notices.is_older(self.older))
        if loss := repeats.loss_of(submission):
            is_of_title = submission.title == self._tune.title
            self._options.observer.on_notice(notices.is_lost(submission, loss, is_of_title=is_of_title))
        return self._row(submission)

    def request(self, pack: Pack, encoding: Encoding, images: Sequence[SentImage]) -> Request:
        """Return the request as it will be recorded, with its images as they are sent."""
        return Request.from_tune(
            self._tune,
            self._client.service,
            encoding,
            pack=pack.id,
            sent_images=images,
            preprocessing=self._options.preprocessing,
            account=self._client.account,
        )

    def submit(self, pack: Pack, body: Body, request: Request, precedents: Precedents) -> Submission:
        """Send the tune unless it is on record already, and return its submission.

        Its tune exists, unless the options say that a lost answer is not waited for.
        """
        self._estimate = estimate(self._tune, pack)
        unknown_accounts.record_accounts(self._log, self._client)
        try:
            with ExitStack() as work, self._slot:
                if self._tune.title is None:  # if this process ended before it is sent, no look would tell
                    self._slot.enter_context(self._options.slot)
                submission = self._claim(precedents, request, body, work)
                if submission.state in HAS_TUNE or self._is_left(submission):
                    return submission
                work.enter_context(recovery.at_work(self._log, submission))
                return self._send(submission, body)
        except (StaleSubmission, RequestClaimed) as overtaken:
            submission = overtaken.submission
        if submission.state in HAS_TUNE:
            return submission
        raise self._submitted_elsewhere(submission)

    def _with_account(self, submission: Submission) -> Submission:
        """Return a submission of unknown account as it is once the account was asked for its tune."""
        if repeats.loss_of(submission):
            return submission  # said by itself
        if unseen := unknown_accounts.not_shown(self._log, self._client, [submission]):
            self._options.observer.on_notice(notices.are_not_shown(unseen, self._client.account))
        return self._log.get(submission.id)

    def _is_left(self, submission: Submission) -> bool:
        """Return whether the outcome of a submission is not known, and is for the caller to find out."""
        return not self._options.waits and submission.state in ("unknown", "needs_review")

    def _claim(self, precedents: Precedents, request: Request, body: Body, work: ExitStack) -> Submission:
        """Return a submission that is to be sent, or one whose tune exists."""
        submission = precedents.claimant
        if submission is None:
            try:
                return self._plan(request, body, work, has_equal=precedents.has_equal)
            except RequestClaimed as claimed:
                submission = claimed.submission
        if submission.title is not None:
            self._check_same(submission, request, body)
        submission = self._settled(submission)
        if submission.state == "not_sent":
            return self._plan(request, body, work)
        # Another account would not recognise it.
        is_recognised = self._is_recognised and not unknown_accounts.is_unsure(submission, self._client)
        if not is_recognised and not self._is_left(submission):
            self._raise_if_lost(submission)
        return submission

    def _plan(self, request: Request, body: Body, work: ExitStack, *, has_equal: bool = True) -> Submission:
        """Record the intent to send a request; return another submission if its tune is wanted instead."""
        before = self._options.look(self._client, request)
        if before.tune is not None and not is_of_another(
            self._log, before.tune.get("title"), str(request.title)
        ):
            return self._adopt(before.tune, before.newest_id, request, work)
        is_compared, warns = self._options.repeat != "send", self._options.warns
        while True:
            equal = self._equal(request) if is_compared and has_equal else []
            if (earlier := self._repeated(equal, request, body)) is not None:
                return earlier
            if warns:  # once, even if another process has recorded an equal request in the meantime
                warn_of_addresses(self._tune, self._client)
                warn_of_balance(self._tune, body, self._estimate, self._client)
                warns = False
            # One that was announced is sent, whatever was recorded meanwhile.
            is_decided = not is_compared or (equal and self._options.repeat == "announce")
            newest_equal_id = None if is_decided else max((one.id for one in equal), default=0)
            with suppress(SameContentRecorded), recovery.planning(self._log):
                submission = self._log.plan(
                    request, before.newest_id, sending=True, newest_equal_id=newest_equal_id
                )
                work.enter_context(recovery.at_work(self._log, submission))
                return submission
            has_equal = True

    def _equal(self, request: Request) -> list[Submission]:
        """Return earlier submissions of equal fields and sizes, latest first, as far as they matter."""
        if not request.images and self._options.repeat != "replay":
            latest = self._log.with_content(request, limit=1)  # without files to compare, it is the same
            if not any(map(repeats.loss_of, latest)):
                return latest
        return self._log.with_content(request)

    def _adopt(self, tune: Json, newest_id: int, request: Request, work: ExitStack) -> Submission:
        """Record the tune of a title that the account has and the log had not."""
        with recovery.planning(self._log):
            submission = self._log.plan(request, newest_id)
            work.enter_context(recovery.at_work(self._log, submission))
        reply = tune | submission.own_fields
        submission = self._log.change(submission, "adopted", tune_id=tune["id"], reply=reply)
        self.found = tune
        unknown_accounts.note_answer(self._log, self._client, submission)
        self._options.observer.on_notice(notices.title_is_taken(tune))
        return submission

    def _repeated(self, equal: list[Submission], request: Request, body: Body) -> Submission | None:
        """Return one of the submissions of equal fields and sizes if its row is wanted instead."""
        repeat = self._options.repeat
        if repeat == "replay":  # one whose row was seen is replayed on purpose
            equal = [submission for submission in equal if recovery.is_lost(self._log, submission)]
        earlier = repeats.earlier_submission(equal, request, body, self._on_wait)
        if earlier is None:
            return None
        if repeat in ("return", "replay"):
            earlier = self._settled(earlier)
            if self._is_left(earlier):
                return earlier
            self._raise_if_lost(earlier)
            if earlier.state not in HAS_TUNE:
                return self._repeated(self._log.with_content(request), request, body)
            recovery.take_awaited(self._log, earlier)  # this is its row: the next run is another one
            if repeat == "replay":
                self._options.observer.on_notice(notices.found(repeats.describe(earlier, self._estimate)))
            return earlier
        if recovery.take_awaited(self._log, earlier):
            self._options.observer.on_notice(notices.was_awaited())
            return earlier
        text = repeats.describe(earlier, self._estimate)
        if repeat == "ask":
            raise repeats.RepeatedRequest(earlier, text)
        self._options.observer.on_notice(notices.sent_again(text))
        return None

    def _check_same(self, submission: Submission, request: Request, body: Body) -> None:
        """Refuse a different request under a title that is taken; compares the content of the files."""
        if problem := repeats.conflict_with(submission, request.with_sha256(body.image_sha256)):
            raise TuneError(problem)

    def _settled(self, submission: Submission) -> Submission:
        """Find out what became of a submission that is on record."""
        if submission.state in HAS_TUNE:
            return submission
        if submission.state != "needs_review" and not recovery.is_left_open(self._log, submission):
            raise self._submitted_elsewhere(submission)
        if not self._options.waits and submission.state != "planned":
            return recovery.orphaned(self._log, submission)
        return recovery.recover_one(self._log, self._client, submission, self._settle, self._on_wait)

    def _send(self, submission: Submission, body: Body) -> Submission:
        with ExitStack() as bodies:
            doubtful, is_recorded = False, submission.state == "sending"
            while True:
                doubtful = doubtful or submission.state in ("unknown", "needs_review")
                if not is_recorded:
                    submission = self._log.change(submission, "sending", attempt=submission.attempt + 1)
                is_recorded, self.is_sent = False, True
                submission = self._attempt(submission, body, doubtful)
                if submission.state == "unknown" and self._options.waits:
                    (submission,) = recovery.settle(
                        self._log, self._client, [submission], self._settle, self._on_wait
                    )
                if submission.state in HAS_TUNE or self._is_left(submission):
                    return submission
                if not self._is_recognised:
                    self._raise_if_lost(submission)
                body = bodies.enter_context(self.encode())

    def _attempt(self, submission: Submission, body: Body, doubtful: bool) -> Submission:
        """Send once; return the submission as ``done``, ``unknown``, or ``planned`` again after a 429.

        If an earlier attempt may have created the tune (`doubtful`), a refusal of this one says nothing about
        it: the submission then needs review, and its title stays taken.
        """
        change = self._log.change
        refused, not_sent = ("needs_review",) * 2 if doubtful else ("rejected", "not_sent")
        try:
            reply = self._post(body)
        except OutcomeUnknownError as error:
            lost = f"its answer was lost ({error.reason})"
            return change(submission, "unknown", problem=lost, image_sha256=body.image_sha256)
        except TooManyRequestsError as error:
            seconds = self._throttled_seconds(error, submission.attempt)
            if not self._options.waits or not self._deadline.has_time_for(seconds):
                change(submission, refused, problem=str(error))
                raise
            if not doubtful:  # a doubtful one must not look as if it had never been sent
                submission = change(submission, "planned", problem=str(error))
            wait_with_progress(seconds, "the service asked to wait", self._on_wait)
            return submission
        except (NotSentError, TuneError) as error:
            _tell_doubt(error, doubtful=doubtful)
            change(submission, not_sent, problem=str(error))
            raise
        except ApiError as error:
            _tell_doubt(error, doubtful=doubtful)
            change(submission, refused, problem=str(error))
            raise
        except BaseException as error:
            # After an interrupt: an incomplete request creates nothing.
            was_sent = body.yielded == len(body)
            problem = str(error) if isinstance(error, AstriaError) else type(error).__name__
            submission = change(submission, "unknown" if was_sent else not_sent, problem=problem)
            if was_sent and isinstance(error, Exception):
                return submission  # looking for the tune comes before an error that is not about it
            raise
        return self._record(submission, reply, body)

    def _post(self, body: Body) -> Json:
        try:
            if self._tune.title is not None:
                self._slot.enter_context(self._options.slot)
            return self._checked(self._client.create_tune(self._tune.pack, body))
        finally:
            self._slot.close()  # another one may be sent while this one is recorded

    def _checked(self, reply: Json) -> Json:
        """Return a reply that says that something was created; its id is an int, or null if it is none."""
        number = reply.get("id")
        number = int(number) if isinstance(number, float) and number.is_integer() else number
        is_created = parse_id(number) is not None or (type(number) is int and number > 0)
        # The answer to a run needs no id: then it must not say that something is wrong.
        is_run = bool(self._tune.tune_ids) and (bool(reply.get("prompt_ids")) or not complaint_in(reply))
        if reply.get("error") or not (is_created or is_run):
            words = words_in(reply)
            raise responses.outcome_unknown("an answer without a tune" + (f": {words}" if words else ""))
        return {**reply, "id": parse_id(number)}

    def _record(self, submission: Submission, reply: Json, body: Body) -> Submission:
        """Record the created tune; if that fails, the caller still gets its row."""
        known = {name: value for name, value in reply.items() if value is not None}
        record = {**reply, **submission.own_fields, **known, "image_sha256": body.image_sha256 or None}
        if reply["id"] is None and self._tune.tune_ids:
            # "Prompts created", with or without the prompts' ids (astria-api, section 4).
            record = {name: record[name] for name in record.keys() & set(rows.TUNE_SCHEMA.names)}
            record["prompt_ids"] = reply.get("prompt_ids") or self._created_prompts(submission)
        elif not self._tune.tune_ids and _is_older(reply, submission):
            self.older = reply
        hashes = body.image_sha256
        try:
            submission = self._log.change(
                submission, "done", tune_id=reply["id"], reply=record, image_sha256=hashes
            )
            unknown_accounts.note_answer(self._log, self._client, submission)
            return submission
        except Exception as error:  # noqa: BLE001  the tune is paid for: whatever failed, its row is returned
            overtaken = error.submission if isinstance(error, StaleSubmission) else None
            if overtaken is not None and (latest := self._adopted(overtaken, record)) is not None:
                return latest
            made = f"prompts {record.get('prompt_ids')}" if reply["id"] is None else f"tune {reply['id']}"
            warn(
                f"the tune was created, but not recorded as created: it is {made} ({_reason(error)})",
                is_paid=True,
            )
            return replace(submission, state="done", record=record)

    def _adopted(self, submission: Submission, record: Json) -> Submission | None:
        """Record a created tune whose submission another process, which looked for it, has changed."""
        if submission.state in HAS_TUNE:
            return submission
        with suppress(Exception):  # its owner may have said that it was not created
            return self._log.change(submission, "adopted", tune_id=record.get("id"), reply=record)
        return None

    def _created_prompts(self, submission: Submission) -> list[int] | None:
        """Return the ids of a run's prompts; None if they cannot be listed, since the run is paid for."""
        try:
            created = recovery.created_by(self._log, self._client, [submission])[submission.id]
            return sorted(prompt["id"] for prompt in created)
        except Exception:  # noqa: BLE001
            return None

    def _throttled_seconds(self, error: TooManyRequestsError, attempt: int) -> float:
        seconds = retry_after_seconds(error.retry_after, self._client.now())
        # Back off from a service that keeps answering "Retry-After: 0".
        minimum = min(2.0 ** (attempt - 2), _THROTTLED_SECONDS) if attempt > 1 else 0.0
        return _THROTTLED_SECONDS if seconds is None else max(seconds, minimum)

    def _raise_if_lost(self, submission: Submission) -> None:
        if submission.state == "needs_review":
            hint = (
                "submit it again to look for it again; if you are sure that it was not created, say so with "
                f"{notices.how_to_resolve(self._log, submission)}"
            )
            what = submission.problem or "its outcome is unknown"
            self.on_record = submission
            raise OutcomeUnknownError(Problem(recovery.field_of(submission), what, hint))

    def _submitted_elsewhere(self, submission: Submission) -> TuneError:
        self.on_record = submission
        thing = "this run" if submission.title is None else short(submission.title)
        what = f"{thing} is being submitted by another kernel or thread"
        hint = "wait until it is done, then submit it again to get its row"
        if submission.title is None:  # an equal run is another one: its row is not returned by itself
            recovery.note_awaited(self._log, submission)
        return TuneError(Problem(recovery.field_of(submission), what, hint, kind="conflict"))

    def _row(self, submission: Submission) -> pd.DataFrame:
        if submission.title is None or submission.state == "adopted":
            with suppress(Exception):  # then the next call returns this row again, which costs nothing
                self._log.note_returned(submission, arrival())
        record, now = submission.record or {}, self._client.now()
        try:
            return rows.tune_frame([record | submission.origin], now)
        except Exception as error:  # noqa: BLE001  the tune is paid for: whatever failed, its row is returned
            warn(f"the row lacks what the service answered ({_reason(error)})", is_paid=True)
            what_is_certain = submission.own_fields | submission.origin
            return rows.tune_frame([{**what_is_certain, "id": submission.tune_id or record.get("id")}])


def _is_older(reply: Json, submission: Submission) -> bool:
    """Return whether a tune was there before its request, by its id or by the service's own clock."""
    if reply["id"] is not None and reply["id"] <= (submission.newest_known_id or 0):
        return True
    made, ahead = parse_time(reply.get("created_at")), clocks().get(submission.service)
    if made is None or ahead is None:
        return False
    # Who writes the answer's date may have another clock than who makes the tune.
    return (submission.planned_at + ahead - made).total_seconds() > _CLOCK_SECONDS


def _tell_doubt(error: AstriaError, *, doubtful: bool) -> None:
    """Let an error not say that nothing was created, if an earlier attempt may have done it."""
    says_so = isinstance(error, RejectedError | NotFoundError | NotSentError)
    if doubtful and says_so and not isinstance(error, UnreachableError):
        step = "submit again" if isinstance(error, NotSentError) else "fix it and submit again"
        hint = f"{step}, which looks for it first: an earlier attempt may have created it"
        error.args = tuple(replace(problem, hint=hint) for problem in error.problems)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, AstriaError) else type(error).__name__
