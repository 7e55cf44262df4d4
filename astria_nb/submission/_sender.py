"""The only place that sends a paid request; what became of it is recorded at once."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import replace

from astria_nb import rows
from astria_nb.client import Json
from astria_nb.client.deadline import Deadline
from astria_nb.client.retry import retry_after_seconds
from astria_nb.errors import (
    ApiError,
    AstriaError,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    RejectedError,
    TooManyRequestsError,
    TuneError,
    UnreachableError,
)
from astria_nb.log import HAS_TUNE, StaleSubmission, Submission
from astria_nb.submission import _search as search
from astria_nb.submission import _unknown_accounts as unknown_accounts
from astria_nb.submission._notices import reason_of
from astria_nb.submission._options import SubmitOptions
from astria_nb.submission._paid_reply import checked_reply, is_older
from astria_nb.tune import Body, Tune
from astria_nb.utils.progress import wait_with_progress
from astria_nb.utils.warn import warn

_THROTTLED_SECONDS = 30.0  # after a 429 without Retry-After


class Sender:
    """Sends the request of a tune, once for each call.

    Parameters
    ----------
    tune : Tune
    options : SubmitOptions
    deadline : Deadline
        Of the whole submission.
    slot : ExitStack
        Holds `SubmitOptions.slot` while a request is under way; it may hold it before.

    Attributes
    ----------
    older : dict or None
        The tune that the service answered with, if it was there before the request.
    """

    older: Json | None = None

    def __init__(self, tune: Tune, options: SubmitOptions, deadline: Deadline, slot: ExitStack) -> None:
        self._tune, self._options, self._deadline, self._slot = tune, options, deadline, slot
        self._client, self._log = options.client, options.log

    def send(self, submission: Submission, body: Body, *, doubtful: bool) -> Submission:
        """Send once; return the submission as ``done``, ``unknown``, or ``planned`` again after a 429.

        If an earlier attempt may have created the tune (`doubtful`), a refusal of this attempt does not show
        that there is none: the submission then needs review, and its title stays taken.
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
            if not doubtful:  # otherwise it would look as if it had never been sent
                submission = change(submission, "planned", problem=str(error))
            wait_with_progress(seconds, "the service asked to wait", self._options.observer.on_wait)
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
            submission = change(submission, "unknown" if was_sent else not_sent, problem=reason_of(error))
            if was_sent and isinstance(error, Exception):
                return submission  # the tune is looked for; the error is not about it
            raise
        return self._record(submission, reply, body)

    def _post(self, body: Body) -> Json:
        try:
            if self._tune.title is not None:
                self._slot.enter_context(self._options.slot)
            reply = self._client.create_tune(self._tune.pack, body)
            return checked_reply(reply, is_run=bool(self._tune.tune_ids))
        finally:
            self._slot.close()  # another request may be sent while this one is recorded

    def _record(self, submission: Submission, reply: Json, body: Body) -> Submission:
        """Record the created tune; if that fails, the caller still gets its row."""
        known = {name: value for name, value in reply.items() if value is not None}
        record = {**reply, **submission.own_fields, **known, "image_sha256": body.image_sha256 or None}
        if reply["id"] is None and self._tune.tune_ids:
            # "Prompts created", with or without the prompts' ids (astria-api, section 4).
            record = {name: record[name] for name in record.keys() & set(rows.TUNE_SCHEMA.names)}
            record["prompt_ids"] = reply.get("prompt_ids") or self._created_prompts(submission)
        elif not self._tune.tune_ids and is_older(reply, submission):
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
                f"the tune was created, but not recorded as created: it is {made} ({reason_of(error)})",
                is_paid=True,
            )
            return replace(submission, state="done", record=record)

    def _adopted(self, submission: Submission, record: Json) -> Submission | None:
        """Record a created tune whose submission another process, which looked for it, has changed."""
        if submission.state in HAS_TUNE:
            return submission
        with suppress(Exception):  # the user may have resolved it as not created
            return self._log.change(submission, "adopted", tune_id=record.get("id"), reply=record)
        return None

    def _created_prompts(self, submission: Submission) -> list[int] | None:
        """Return the ids of a run's prompts; None if they cannot be listed, since the run is paid for."""
        try:
            created = search.created_by(self._log, self._client, [submission])[submission.id]
            return sorted(prompt["id"] for prompt in created)
        except Exception:  # noqa: BLE001
            return None

    def _throttled_seconds(self, error: TooManyRequestsError, attempt: int) -> float:
        seconds = retry_after_seconds(error.retry_after, self._client.now())
        # Back off from a service that keeps answering "Retry-After: 0".
        minimum = min(2.0 ** (attempt - 2), _THROTTLED_SECONDS) if attempt > 1 else 0.0
        return _THROTTLED_SECONDS if seconds is None else max(seconds, minimum)


def _tell_doubt(error: AstriaError, *, doubtful: bool) -> None:
    """Give an error that says that nothing was created another hint, if an earlier attempt may have."""
    says_so = isinstance(error, RejectedError | NotFoundError | NotSentError)
    if doubtful and says_so and not isinstance(error, UnreachableError):
        step = "submit again" if isinstance(error, NotSentError) else "fix it and submit again"
        hint = f"{step}, which looks for it first: an earlier attempt may have created it"
        error.args = tuple(replace(problem, hint=hint) for problem in error.problems)
