"""The setting that keeps a tune: sent once, and looked up until the outcome is certain."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from astria_nb.client import Client, Json
from astria_nb.errors import AstriaError, OutcomeUnknownError, Problem, ServerError, UnexpectedReplyError
from astria_nb.rows import tune_status
from astria_nb.utils.progress import ReportProgress, wait_with_progress
from astria_nb.utils.times import parse_time

SETTLE_SECONDS = 60.0
"""How long the service may still be working on a request whose answer was lost (astria-api, section 8)."""
_FIRST_PAUSE = 1.0  # seconds before the second look-up; doubled after each
_TRUTH = {"true": True, "1": True, "false": False, "0": False}  # some replies have text or a number


class SettingChange:
    """A tune whose setting is to be changed.

    Parameters
    ----------
    client : Client
    tune_id : int
    auto_extend : bool
    """

    def __init__(self, client: Client, tune_id: int, auto_extend: bool) -> None:
        self._client, self._tune_id, self._auto_extend = client, tune_id, auto_extend
        self._before: Json = {}
        self._after: Json | None = None
        self._reason = ""  # why the answer is unknown

    def send(self) -> bool:
        """Change the tune unless it has the setting already, and return whether the outcome is certain.

        Raises
        ------
        AstriaError
            The tune was not changed.
        """
        client, tune_id = self._client, self._tune_id
        try:
            self._before = client.tune(tune_id)
        except (ServerError, UnexpectedReplyError) as error:  # their texts do not name the tune
            words = f"asked for tune {tune_id}"
            error.args = tuple(
                replace(problem, what=f"{problem.what}, {words}") for problem in error.problems
            )
            raise
        if is_kept(self._before) is self._auto_extend:
            self._after = self._before
            return True
        if self._auto_extend and tune_status(self._before, client.now()) == "expired":
            what = f"tune {tune_id} has expired, and its pictures are deleted"
            raise AstriaError(Problem("id", what, "leave it out"))
        try:
            client.update_tune(tune_id, auto_extend=self._auto_extend)
        except OutcomeUnknownError as error:
            self._reason = error.reason or "no answer"
        return self.look()

    def look(self) -> bool:
        """Look the tune up, and return whether it is certain that it was changed."""
        try:
            self._after = self._client.tune(self._tune_id)
        except AstriaError:  # an interrupt must not hide a completed change
            self._after = None
        return self._is_done()

    def result(self) -> Json:
        """Return the tune in its latest state.

        Raises
        ------
        AstriaError
            The tune was not changed, according to a look-up that was late enough to be certain.
        OutcomeUnknownError
            It is unknown whether it was changed.
        """
        if self._is_done():
            return {**(self._after or self._before), "auto_extend": self._auto_extend}
        if self._after is not None and is_kept(self._after) is not None:
            what = f"tune {self._tune_id} was not changed ({self._reason or 'the service kept its setting'})"
            raise AstriaError(Problem("id", what, "call keep_longer again"))
        reason = self._reason or "it could not be looked up"
        what = f"it is unknown whether tune {self._tune_id} was changed ({reason})"
        hint = "look at its page on the service before you try again"
        raise OutcomeUnknownError(Problem("id", what, hint))

    def _is_done(self) -> bool:
        latest = self._after or self._before
        # A later expiry was paid for, whatever the setting says: it must not be requested again.
        is_extended = self._auto_extend and 0 < _expiry(self._before) < _expiry(latest)
        is_accepted = is_kept(latest) is None and not self._reason
        return is_kept(latest) is self._auto_extend or is_extended or is_accepted


def settle(changes: Iterable[SettingChange], report: ReportProgress) -> None:
    """Look up tunes together, until they are changed or the service must have finished.

    Parameters
    ----------
    changes : iterable of SettingChange
        Changes that were sent and whose outcome is not certain.
    report : callable
        Called while this waits, with a fraction from 0 to 1 and a text.
    """
    end, pause, lost = time.monotonic() + SETTLE_SECONDS, _FIRST_PAUSE, [*changes]
    while lost and (remaining := end - time.monotonic()) > 0:
        wait_with_progress(min(pause, remaining), "giving the service time to finish", report)
        lost = [change for change in lost if not change.look()]
        pause *= 2


def is_kept(tune: Mapping[Any, Any]) -> bool | None:
    """Return whether the service keeps a tune beyond its expiry, or None if the tune does not say so.

    Parameters
    ----------
    tune : mapping
        The API's JSON, or a row.

    Examples
    --------
    >>> is_kept({"auto_extend": True}), is_kept({"auto_extend": "false"}), is_kept({"auto_extend": None})
    (True, False, None)
    """
    return _TRUTH.get(str(tune.get("auto_extend")).lower())


def _expiry(tune: Json) -> Any:
    expires_at = parse_time(tune.get("expires_at"))
    return 0.0 if expires_at is None else expires_at.timestamp()
