"""Records the results of polls in the experiment log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from astria_nb import rows
from astria_nb.client import Json
from astria_nb.log import Log
from astria_nb.results.watch._poll_result import PollResult
from astria_nb.utils.redaction import redact_json


class PollRecorder:
    """Records tunes whose state changed, and prompts that changed, as the API's JSON.

    Tunes that the log does not have are skipped.

    Parameters
    ----------
    log : Log
    service : str
        The base address of the service that is polled.
    account : str, optional
        The account's id. Default: unknown. A tune that it does not have counts as deleted only if the log
        records the tune as its own.

    Attributes
    ----------
    account : str or None
    """

    def __init__(self, log: Log, service: str, account: str | None = None) -> None:
        self._log, self._service, self.account = log, service, account
        self._prompt_states: dict[int, tuple[Any, ...]] = {}

    def record(self, result: PollResult) -> None:
        """Record the changes found by a poll.

        Parameters
        ----------
        result : PollResult

        Raises
        ------
        LogError
            The log cannot be written.
        """
        for tune in result.changed_tunes:
            self.record_tune(tune)
        for tune_id, prompts in result.prompt_records.items():
            self.record_prompts(tune_id, prompts)

    def record_tune(self, tune: Json, *, kind: str = "poll") -> bool:
        """Record the state of a tune, and return whether it was new to the log.

        Parameters
        ----------
        tune : dict
            The API's JSON; one with the ``status`` ``deleted`` is gone.
        kind : {"poll", "callback"}
            The reason for the request. After a callback, an unchanged state is recorded, too.

        Raises
        ------
        LogError
            The log cannot be written.
        """
        is_deleted = tune.get("status") == "deleted"
        submission = self._log.of_tune(self._service, tune["id"], self.account)
        if submission is None or (is_deleted and submission.request.account != self.account):
            return False
        record = submission.record or {}
        # A tune of unknown account that is shown to this one is its own.
        is_found = self.account is not None and submission.request.account is None
        is_new = (
            is_found
            or record.get("status") != tune.get("status")
            or any(record.get(key) != value for key, value in redact_json(tune).items())
        )
        if is_new or kind == "callback":
            problem = "is no longer on the account" if is_deleted else None
            self._note(kind, tune["id"], tune, problem)
        return is_new

    def record_prompts(self, tune_id: int, prompts: Sequence[Json], *, kind: str = "poll") -> bool:
        """Record the prompts that changed since the last call, and return whether any did.

        Parameters
        ----------
        tune_id : int
        prompts : sequence of dict
            The API's JSON.
        kind : {"poll", "callback"}
            The reason for the request.

        Raises
        ------
        LogError
            The log cannot be written.
        """
        changed = [prompt for prompt in prompts if self._prompt_states.get(prompt["id"]) != _state(prompt)]
        if changed:
            self._note(kind, tune_id, changed)
            self._prompt_states |= {prompt["id"]: _state(prompt) for prompt in changed}
        return bool(changed)

    def _note(self, kind: str, tune_id: int, reply: Any, problem: str | None = None) -> None:
        self._log.record_event(
            kind,
            tune_id=tune_id,
            service=self._service,
            account=self.account,
            reply=reply,
            problem=problem,
        )


def _state(prompt: Json) -> tuple[Any, ...]:
    """Return the visible state of a prompt, without the signatures of its image URLs."""
    return rows.prompt_status(prompt), len(rows.picture_urls(prompt)), prompt.get("liked")
