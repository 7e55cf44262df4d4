"""Tunes of the log that changed, or may have: looked up on the service, and noted."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from astria_nb import rows
from astria_nb.client.by_id import fetch_latest, is_recent
from astria_nb.client.client import Client, Json
from astria_nb.errors import AstriaError, LogError, NotFoundError
from astria_nb.log import Log
from astria_nb.results.callbacks.payload import hint
from astria_nb.results.watch.recorder import PollRecorder
from astria_nb.results.watch.states import FINAL_STATES, PAGE_SIZE
from astria_nb.utils.arrow import parse_time
from astria_nb.utils.redaction import redact_text

APART = 1.0
"""Seconds between two looks at one tune, however many callbacks come for it; more while nothing is new."""
_SLOWEST = 6  # doublings of that
_FIRST_AGAIN, _LAST_AGAIN = 2.0, 300.0  # seconds after a look that failed
_STRANGERS = 200  # ids that are remembered while a submission is under way

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Due:
    """A look that is to come."""

    at: float
    prompts: bool = False
    known: bool = True
    failures: int = 0


class Lookups:
    """Looks up what callbacks are about, one tune after the other; many callbacks for one tune are one look.

    Parameters
    ----------
    log : Log
        Only tunes that it has of this client's service are looked up.
    client : Client
    """

    def __init__(self, log: Log, client: Client) -> None:
        self._log, self._client, self._service = log, client, client.service
        self._changed = threading.Condition()
        self._due: dict[int, _Due] = {}
        self._not_before: dict[int, float] = {}
        self._idle_looks: dict[int, int] = {}  # that found nothing new, one after the other
        self._recorder = PollRecorder(log, self._service)
        self._busy = self._stopped = False
        self._thread: threading.Thread | None = None
        self.noted = 0
        """Counts what came of looks; `await_news` tells when it grows."""

    def start(self) -> None:
        """Look at what is not finished, then at whatever is heard of; once."""
        self._busy = True
        self._thread = threading.Thread(target=self._run, name="astria_nb lookups", daemon=True)
        self._thread.start()

    def stop(self, patience: float) -> None:
        """End; a look that is under way has so many seconds, and is left to itself then."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(patience)

    def hear(self, body: bytes) -> int:
        """Note on disk that a callback came, have its tune looked up, and return the status to answer."""
        found = hint(body)
        if found is None:
            return 400
        try:
            # Asked first: a tune whose callback outruns its answer is being sent at this moment.
            under_way = bool(self._log.unsettled(self._service))
            known = [each for each in found.tune_ids if self._log.of_tune(self._service, each)]
            for each in known:
                if each not in self._due:  # else it is noted already that there is something to look at
                    self._log.note("callback", tune_id=each, service=self._service)
        except LogError:
            # Looked up all the same, once the log can be read.
            self._plan(found.tune_ids, found.prompts, known=False)
            return 503
        self._plan(known, found.prompts)
        if under_way:
            self._plan([each for each in found.tune_ids if each not in known], found.prompts, known=False)
        return 200

    def look_at_unfinished(self) -> list[int]:
        """Look at every tune of the log that is not finished, and return their ids.

        Raises
        ------
        AstriaError
            The service refused, or was not reached, or the log cannot be written.
        """
        waiting, client = self._unfinished(), self._client
        with self._changed:
            for due in self._due.values():
                due.at = 0.0
            self._changed.notify_all()
        found = fetch_latest(
            waiting, lambda below: client.tunes(before_id=below, limit=PAGE_SIZE), client.tune
        )
        for each, tune in found.items():
            if tune is None:
                self._record_deletion("poll", each)
            else:
                self._record("poll", tune)
        return waiting

    def await_news(self, seen: int, seconds: float) -> None:
        """Wait until something was noted since `noted` was that; at most so long."""
        with self._changed:
            self._changed.wait_for(lambda: self.noted != seen, max(0.0, seconds))

    def is_idle(self, seconds: float) -> bool:
        """Wait until everything that was heard of is looked up, and tell whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._due and not self._busy, seconds)

    def _plan(self, tune_ids: Sequence[int], prompts: bool, *, known: bool = True) -> None:
        with self._changed:
            for each in tune_ids:
                if not known and len(self._due) >= _STRANGERS:
                    break
                at = max(time.monotonic(), self._not_before.get(each, 0.0))
                due = self._due.setdefault(each, _Due(at, known=known))
                due.at = min(due.at, at)
                due.prompts |= prompts
                due.known |= known
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            # What came while nobody listened was lost.
            self.look_at_unfinished()
        except AstriaError as error:
            _logger.info("what is not finished was not looked at: %s", error)
        while (found := self._next()) is not None:
            try:
                self._look(*found)
            except Exception:  # one that cannot be understood must not end the others
                _logger.exception("tune %d was not looked up", found[0])

    def _next(self) -> tuple[int, _Due] | None:
        """Return what is to be looked at, when it is time; None at the end."""
        with self._changed:
            self._busy = False
            while not self._stopped:
                self._changed.notify_all()
                first = min(self._due, key=lambda each: self._due[each].at, default=None)
                wait = None if first is None else self._due[first].at - time.monotonic()
                if first is not None and wait is not None and wait <= 0:
                    self._busy = True
                    return first, self._due.pop(first)
                self._changed.wait(wait)
            return None

    def _look(self, tune_id: int, due: _Due) -> None:
        try:
            if not due.known:
                under_way = bool(self._log.unsettled(self._service))
                due.known = self._log.of_tune(self._service, tune_id) is not None
                if not due.known and under_way:
                    self._again(tune_id, due)
            if due.known:
                self._fetch(tune_id, due.prompts)
        except AstriaError as error:
            self._again(tune_id, due)
            if not due.failures:
                with suppress(LogError):
                    self._log.note("callback", tune_id=tune_id, service=self._service, problem=str(error))

    def _fetch(self, tune_id: int, prompts: bool) -> None:
        news = False
        try:
            news = self._record("callback", self._client.tune(tune_id))
            if prompts:
                news |= self._record_prompts(tune_id)
        except NotFoundError:
            if not self._record_deletion("callback", tune_id):
                raise
        idle = self._idle_looks[tune_id] = 0 if news else self._idle_looks.get(tune_id, 0) + 1
        self._not_before[tune_id] = time.monotonic() + APART * 2.0 ** min(idle, _SLOWEST)

    def _again(self, tune_id: int, due: _Due) -> None:
        wait = min(_FIRST_AGAIN * 2.0 ** min(due.failures, 10), _LAST_AGAIN)
        with self._changed:
            heard = self._due.get(tune_id)
            later = _Due(time.monotonic() + wait, due.prompts, due.known, due.failures + 1)
            if heard is not None:
                later.prompts |= heard.prompts
            self._due[tune_id] = later

    def _record(self, kind: str, tune: Json) -> bool:
        """Record a tune's state, and return whether it is new."""
        is_new = self._recorder.record_tune(tune, kind=kind)
        if is_new or kind == "callback":
            self._tell()
        return is_new

    def _record_prompts(self, tune_id: int) -> bool:
        """Record the prompts that are finished, and return whether there are new ones."""
        prompts = [
            prompt for prompt in self._client.prompts(tune_id) if rows.prompt_status(prompt) != "pending"
        ]
        is_new = self._recorder.record_prompts(tune_id, prompts[::-1], kind="callback")
        if is_new:
            self._tell()
        return is_new

    def _record_deletion(self, kind: str, tune_id: int) -> bool:
        """Record that a tune is gone, and return whether it must be: a young one may not be listed yet."""
        submission = self._log.of_tune(self._service, tune_id)
        record = (submission.record if submission is not None else None) or {}
        if is_recent(parse_time(record.get("created_at")), self._client.now()):
            return False
        self._record(kind, {"id": tune_id, "status": "deleted"})
        return True

    def _tell(self) -> None:
        with self._changed:
            self.noted += 1
            self._changed.notify_all()

    def _unfinished(self) -> list[int]:
        if not self._log.path.exists():
            return []
        frame = self._log.frame()
        ours = (frame["service"] == redact_text(self._service)) & ~frame["status"].isin(FINAL_STATES)
        return sorted(set(frame.loc[ours, "id"].dropna().astype(int)))
