"""Fetching the tunes that callbacks are about, and recording their state in the log."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from astria_nb import rows
from astria_nb.client import PAGE_SIZE, Client, Json, fetch_latest, is_recent
from astria_nb.errors import AstriaError, LogError, NotFoundError
from astria_nb.log import Log, Submission
from astria_nb.results.callbacks._payload import parse_payload
from astria_nb.results.watch import FINAL_STATES, PollRecorder
from astria_nb.utils.redaction import redact_text
from astria_nb.utils.times import parse_time

MIN_INTERVAL = 1.0
"""Seconds between two fetches of one tune, however many callbacks arrive; doubled while nothing changes."""
_MAX_DOUBLINGS = 6
_FIRST_RETRY, _MAX_RETRY = 2.0, 300.0  # seconds after a failed fetch
_MAX_UNKNOWN = 200  # ids that are remembered while a submission is in flight

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _PendingFetch:
    due_at: float
    with_prompts: bool = False
    is_in_log: bool = True
    failures: int = 0


class Refresher:
    """Fetches tunes on its own thread. Several callbacks for one tune cause a single fetch.

    Parameters
    ----------
    log : Log
        Only its tunes, on the service of this client, are fetched.
    client : Client

    Attributes
    ----------
    version : int
        Increases with each recorded state; see `wait_for_change`.
    """

    def __init__(self, log: Log, client: Client) -> None:
        self._log, self._client, self._service = log, client, client.service
        self._account = client.known_account
        self._recorder = PollRecorder(log, self._service, self._account)
        self._changed = threading.Condition()
        self._pending: dict[int, _PendingFetch] = {}
        self._not_before: dict[int, float] = {}
        self._unchanged_fetches: dict[int, int] = {}
        self._is_busy = self._is_stopped = False
        self._thread: threading.Thread | None = None
        self.version = 0

    def start(self) -> None:
        """Fetch the tunes that are not finished, then those that callbacks are about."""
        self._is_busy = True
        self._thread = threading.Thread(target=self._run, name="astria_nb refresher", daemon=True)
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Stop. A fetch that takes longer than `timeout` seconds is left running."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout)

    def on_callback(self, body: bytes) -> int:
        """Record that a callback arrived, schedule a fetch of its tunes, and return the status to answer."""
        payload = parse_payload(body)
        if payload is None:
            return 400
        try:
            # Before the look-up: a callback may arrive before the reply to its tune's submission.
            is_submitting = bool(self._log.unsettled(self._service, self._account))
            in_log = [tune_id for tune_id in payload.tune_ids if self._in_log(tune_id)]
            for tune_id in in_log:
                if tune_id not in self._pending:  # otherwise the log has an event for this fetch
                    self._note(tune_id)
        except LogError:
            # Fetched anyway, once the log can be read.
            self._schedule(payload.tune_ids, payload.has_prompts, is_in_log=False)
            return 503
        self._schedule(in_log, payload.has_prompts)
        if is_submitting:
            unknown = [tune_id for tune_id in payload.tune_ids if tune_id not in in_log]
            self._schedule(unknown, payload.has_prompts, is_in_log=False)
        return 200

    def refresh_unfinished(self) -> list[int]:
        """Fetch every tune of the log that is not finished, and return their ids.

        Raises
        ------
        AstriaError
            The service refused or could not be reached, or the log cannot be written.
        """
        client = self._client
        # Only requested here: a callback must be answered at once.
        self._account = self._recorder.account = client.account
        tune_ids = self._unfinished()
        with self._changed:
            for fetch in self._pending.values():
                fetch.due_at = 0.0
            self._changed.notify_all()
        tunes = fetch_latest(
            tune_ids, lambda before: client.tunes(before_id=before, limit=PAGE_SIZE), client.tune
        )
        for tune_id, tune in tunes.items():
            if tune is None:
                self._record_deletion("poll", tune_id)
            else:
                self._record("poll", tune)
        return tune_ids

    def wait_for_change(self, version: int, seconds: float) -> None:
        """Block until `version` changes, for some seconds at most."""
        with self._changed:
            self._changed.wait_for(lambda: self.version != version, max(0.0, seconds))

    def wait_until_idle(self, seconds: float) -> bool:
        """Block until no fetch is pending, for some seconds at most, and return whether none is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._pending and not self._is_busy, seconds)

    def _schedule(self, tune_ids: Sequence[int], with_prompts: bool, *, is_in_log: bool = True) -> None:
        with self._changed:
            for tune_id in tune_ids:
                if not is_in_log and len(self._pending) >= _MAX_UNKNOWN:
                    break
                due_at = max(time.monotonic(), self._not_before.get(tune_id, 0.0))
                fetch = self._pending.setdefault(tune_id, _PendingFetch(due_at, is_in_log=is_in_log))
                fetch.due_at = min(fetch.due_at, due_at)
                fetch.with_prompts |= with_prompts
                fetch.is_in_log |= is_in_log
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            # Callbacks that were sent before the start are lost.
            self.refresh_unfinished()
        except AstriaError as error:
            _logger.info("the unfinished tunes were not fetched: %s", error)
        while (next_fetch := self._next()) is not None:
            tune_id, fetch = next_fetch
            try:
                self._process(tune_id, fetch)
            except Exception:  # one bad tune must not end the fetching of the others
                _logger.exception("tune %d was not fetched", tune_id)

    def _next(self) -> tuple[int, _PendingFetch] | None:
        """Return the next fetch as soon as it is due; None after `stop`."""
        with self._changed:
            self._is_busy = False
            while not self._is_stopped:
                self._changed.notify_all()
                tune_id = min(self._pending, key=lambda key: self._pending[key].due_at, default=None)
                seconds = None if tune_id is None else self._pending[tune_id].due_at - time.monotonic()
                if tune_id is not None and seconds is not None and seconds <= 0:
                    self._is_busy = True
                    return tune_id, self._pending.pop(tune_id)
                self._changed.wait(seconds)
            return None

    def _process(self, tune_id: int, fetch: _PendingFetch) -> None:
        try:
            if not fetch.is_in_log:
                is_submitting = bool(self._log.unsettled(self._service, self._account))
                fetch.is_in_log = self._in_log(tune_id) is not None
                if not fetch.is_in_log and is_submitting:
                    self._retry(tune_id, fetch)
            if fetch.is_in_log:
                self._fetch(tune_id, fetch.with_prompts)
        except AstriaError as error:
            self._retry(tune_id, fetch)
            if not fetch.failures:
                with suppress(LogError):
                    self._note(tune_id, problem=str(error))

    def _in_log(self, tune_id: int) -> Submission | None:
        return self._log.of_tune(self._service, tune_id, self._account)

    def _note(self, tune_id: int, problem: str | None = None) -> None:
        self._log.record_event(
            "callback", tune_id=tune_id, service=self._service, account=self._account, problem=problem
        )

    def _fetch(self, tune_id: int, with_prompts: bool) -> None:
        has_changed = False
        self._not_before[tune_id] = time.monotonic() + MIN_INTERVAL  # for callbacks meanwhile, too
        try:
            has_changed = self._record("callback", self._client.tune(tune_id))
            if with_prompts:
                has_changed |= self._record_prompts(tune_id)
        except NotFoundError:
            if not self._record_deletion("callback", tune_id):
                raise
        unchanged = 0 if has_changed else self._unchanged_fetches.get(tune_id, 0) + 1
        self._unchanged_fetches[tune_id] = unchanged
        interval = MIN_INTERVAL * 2.0 ** min(unchanged, _MAX_DOUBLINGS)
        self._not_before[tune_id] = time.monotonic() + interval

    def _retry(self, tune_id: int, fetch: _PendingFetch) -> None:
        delay = min(_FIRST_RETRY * 2.0 ** min(fetch.failures, 10), _MAX_RETRY)
        with self._changed:
            retry = _PendingFetch(
                time.monotonic() + delay, fetch.with_prompts, fetch.is_in_log, fetch.failures + 1
            )
            scheduled = self._pending.get(tune_id)
            if scheduled is not None:
                retry.with_prompts |= scheduled.with_prompts
            self._pending[tune_id] = retry

    def _record(self, kind: str, tune: Json) -> bool:
        """Record a tune's state, and return whether it is new."""
        is_new = self._recorder.record_tune(tune, kind=kind)
        if is_new or kind == "callback":
            self._notify()
        return is_new

    def _record_prompts(self, tune_id: int) -> bool:
        """Record the prompts that are finished, and return whether there are new ones."""
        finished = [
            prompt for prompt in self._client.prompts(tune_id) if rows.prompt_status(prompt) != "pending"
        ]
        is_new = self._recorder.record_prompts(tune_id, finished[::-1], kind="callback")
        if is_new:
            self._notify()
        return is_new

    def _record_deletion(self, kind: str, tune_id: int) -> bool:
        """Record that a tune is gone, and return whether that is certain: a new one may not be listed yet."""
        submission = self._in_log(tune_id)
        record = (submission.record if submission is not None else None) or {}
        if is_recent(parse_time(record.get("created_at")), self._client.now()):
            return False
        self._record(kind, {"id": tune_id, "status": "deleted"})
        return True

    def _notify(self) -> None:
        with self._changed:
            self.version += 1
            self._changed.notify_all()

    def _unfinished(self) -> list[int]:
        if not self._log.exists():
            return []
        frame = self._log.frame(hidden=True)
        account = self._account
        is_ours = frame["service"] == redact_text(self._service)
        if account is not None:
            is_ours &= frame["account"].isna() | (frame["account"] == account)
        is_unfinished = is_ours & ~frame["status"].isin(FINAL_STATES)
        return sorted(set(frame.loc[is_unfinished, "id"].dropna().astype(int)))
