"""One submission of a tune: it is recorded before it is sent, and repeated only if that is safe."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, suppress

import pandas as pd

from astria_nb.client import Json
from astria_nb.client.deadline import Deadline
from astria_nb.errors import Problem, TuneError
from astria_nb.images import SentImage
from astria_nb.log import (
    HAS_TUNE,
    Precedents,
    RequestClaimed,
    SameContentRecorded,
    StaleSubmission,
    Submission,
)
from astria_nb.submission import _in_progress as in_progress
from astria_nb.submission import _notices as notices
from astria_nb.submission import _recovery as recovery
from astria_nb.submission import _repeats as repeats
from astria_nb.submission import _settle_time as settle_time
from astria_nb.submission import _settling as settling
from astria_nb.submission import _unknown_accounts as unknown_accounts
from astria_nb.submission._address_remarks import warn_of_addresses
from astria_nb.submission._awaited_runs import note_awaited, take_awaited
from astria_nb.submission._balance_remark import warn_of_balance
from astria_nb.submission._options import SubmitOptions
from astria_nb.submission._returned_row import row_of
from astria_nb.submission._sender import Sender
from astria_nb.submission._unknown_outcome import field_of, needs_review
from astria_nb.tune import Body, Encoding, Pack, Request, Tune, encode, estimate
from astria_nb.utils.formatting import short


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
        Set before an error is raised because another kernel, thread or worker submits it, or because it was
        not found.
    found : dict or None
        The account's tune of this title, if the log did not have it: somebody else may have made it.
    is_sent : bool
        Whether this submission has sent it.
    """

    on_record: Submission | None = None
    found: Json | None = None
    is_sent = False

    def __init__(self, tune: Tune, options: SubmitOptions, deadline: Deadline) -> None:
        self._tune, self._options = tune, options
        self._client, self._log = options.client, options.log
        self._on_wait = options.observer.on_wait
        # An account recognises titles of tunes; a run on existing tunes makes none.
        self._is_recognised = options.idempotent and not tune.tune_ids
        self._slot = ExitStack()
        self._sender = Sender(tune, options, deadline, self._slot)
        self._settle = settle_time.SETTLE_SECONDS if options.settle is None else options.settle

    @property
    def older(self) -> Json | None:
        """The tune that the service answered with, if it was there before: its photos may be others."""
        return self._sender.older

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
            recovery.recover(self._log, self._client, self._settle, report=self._on_wait, no_wait=True)
            precedents = self._log.precedents(request)
        submission = self.submit(pack, body, request, precedents)
        if not self.is_sent and unknown_accounts.is_unsure(submission, self._client):
            submission = self._with_account(submission)
        if self.older is not None:
            self._options.observer.on_notice(notices.is_older(self.older))
        if loss := repeats.why_no_pictures(submission):
            is_of_title = submission.title == self._tune.title
            self._options.observer.on_notice(notices.is_lost(submission, loss, is_of_title=is_of_title))
        return row_of(submission, self._options)

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
                if self._tune.title is None:  # if this process ends before it is sent, nothing shows that
                    self._slot.enter_context(self._options.slot)
                submission = self._claim(precedents, request, body, work)
                if submission.state in HAS_TUNE or self._is_left(submission):
                    return submission
                work.enter_context(in_progress.working_on(self._log, submission))
                return self._send(submission, body)
        except (StaleSubmission, RequestClaimed) as overtaken:
            submission = overtaken.submission
        if submission.state in HAS_TUNE:
            return submission
        raise self._submitted_elsewhere(submission)

    def _with_account(self, submission: Submission) -> Submission:
        """Return a submission of unknown account as it is once the account was asked for its tune."""
        if repeats.why_no_pictures(submission):
            return submission  # said by itself
        if unseen := unknown_accounts.not_shown(self._log, self._client, [submission]):
            self._options.observer.on_notice(notices.are_not_shown(unseen, self._client.account))
        return self._log.get(submission.id)

    def _is_left(self, submission: Submission) -> bool:
        """Return whether the outcome of a submission is not known, and the caller is to find it out."""
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
        if before.tune is not None:
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
            # A repeat that was announced is sent, whatever was recorded in the meantime.
            is_decided = not is_compared or (equal and self._options.repeat == "announce")
            newest_equal_id = None if is_decided else max((one.id for one in equal), default=0)
            with suppress(SameContentRecorded), in_progress.planning(self._log):
                submission = self._log.plan(
                    request, before.newest_id, sending=True, newest_equal_id=newest_equal_id
                )
                work.enter_context(in_progress.working_on(self._log, submission))
                return submission
            has_equal = True

    def _equal(self, request: Request) -> list[Submission]:
        """Return earlier submissions of equal fields and sizes, latest first, as far as they matter."""
        if not request.images and self._options.repeat != "replay":
            latest = self._log.with_content(request, limit=1)  # without files to compare, it is the same
            if not any(map(repeats.why_no_pictures, latest)):
                return latest
        return self._log.with_content(request)

    def _adopt(self, tune: Json, newest_id: int, request: Request, work: ExitStack) -> Submission:
        """Record the tune of a title that is on the account, but not in the log."""
        with in_progress.planning(self._log):
            submission = self._log.plan(request, newest_id)
            work.enter_context(in_progress.working_on(self._log, submission))
        reply = tune | submission.own_fields
        submission = self._log.change(submission, "adopted", tune_id=tune["id"], reply=reply)
        self.found = tune
        unknown_accounts.note_answer(self._log, self._client, submission)
        self._options.observer.on_notice(notices.title_is_taken(tune))
        return submission

    def _repeated(self, equal: list[Submission], request: Request, body: Body) -> Submission | None:
        """Return one of the submissions of equal fields and sizes if its row is wanted instead."""
        repeat = self._options.repeat
        if repeat == "replay":  # a request whose row was returned is replayed on purpose
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
            take_awaited(self._log, earlier)  # this is its row: the next run is another one
            if repeat == "replay":
                self._options.observer.on_notice(notices.found(repeats.describe(earlier, self._estimate)))
            return earlier
        if take_awaited(self._log, earlier):
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
        if submission.state != "needs_review" and not in_progress.is_left_open(self._log, submission):
            raise self._submitted_elsewhere(submission)
        if not self._options.waits and submission.state != "planned":
            return recovery.orphaned(self._log, submission)
        return recovery.recover_one(self._log, self._client, submission, self._settle, self._on_wait)

    def _send(self, submission: Submission, body: Body) -> Submission:
        """Send the request until its outcome is known, as far as it is safe to repeat it."""
        with ExitStack() as bodies:
            doubtful, is_recorded = False, submission.state == "sending"
            while True:
                doubtful = doubtful or submission.state in ("unknown", "needs_review")
                if not is_recorded:
                    submission = self._log.change(submission, "sending", attempt=submission.attempt + 1)
                is_recorded, self.is_sent = False, True
                submission = self._sender.send(submission, body, doubtful=doubtful)
                if submission.state == "unknown" and self._options.waits:
                    (submission,) = settling.settle(
                        self._log, self._client, [submission], self._settle, self._on_wait
                    )
                if submission.state in HAS_TUNE or self._is_left(submission):
                    return submission
                if not self._is_recognised:
                    self._raise_if_lost(submission)
                body = bodies.enter_context(self.encode())

    def _raise_if_lost(self, submission: Submission) -> None:
        if submission.state == "needs_review":
            self.on_record = submission
            raise needs_review(self._log, submission)

    def _submitted_elsewhere(self, submission: Submission) -> TuneError:
        self.on_record = submission
        thing = "this run" if submission.title is None else short(submission.title)
        what = f"{thing} is being submitted by another kernel or thread"
        hint = "wait until it is done, then submit it again to get its row"
        if submission.title is None:  # an equal run is a new one by default: it would be paid for again
            note_awaited(self._log, submission)
        return TuneError(Problem(field_of(submission), what, hint, kind="conflict"))
