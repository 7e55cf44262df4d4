"""Four ways to break a batch's promise, each of which a judge of kills must find out."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest import mock

from astria_nb.log import HAS_TUNE, Submission
from astria_nb.submission._exactly_once import ExactlyOnce
from astria_nb.submission.batch import _row as row
from astria_nb.submission.batch import _worker as worker
from astria_nb.submission.batch._batch import Batch
from astria_nb.submission.batch._row_outcome import RowOutcome
from astria_nb.tune import Request, encode

MUTANTS = ("claim after the POST", "claim not checked", "futures kept as truth", "title from row number")


@contextlib.contextmanager
def mutated(mutant: str, log: Any = None) -> Iterator[None]:
    """Be a mutant for a while; it concerns the process that has the frame, a worker, or both.

    Parameters
    ----------
    mutant : str
        One of `MUTANTS`, or empty for none.
    log : Log, optional
        What "futures kept as truth" writes to when a worker has answered.
    """
    with contextlib.ExitStack() as patches:
        if mutant == "claim after the POST":
            patches.enter_context(mock.patch.object(ExactlyOnce, "submit", _claim_afterwards))
        elif mutant == "claim not checked":
            patches.enter_context(mock.patch.object(ExactlyOnce, "submit", _claim_ignored))
        elif mutant == "futures kept as truth":
            patches.enter_context(mock.patch.object(worker, "send", _send_without_log))
            if log is not None:
                patches.enter_context(mock.patch.object(Batch, "_end", _recording(log)))
        elif mutant == "title from row number":
            patches.enter_context(mock.patch.object(row, "title_of_values", _Numbered()))
        elif mutant:
            raise ValueError(mutant)
        yield


_submit = ExactlyOnce.submit
_end = Batch._end


def _claim_afterwards(self: ExactlyOnce, pack: Any, body: Any, request: Any, precedents: Any) -> Submission:
    if precedents.claimant is not None and precedents.claimant.state in HAS_TUNE:
        return _submit(self, pack, body, request, precedents)
    reply = self._client.create_tune(self._tune.pack, body)
    planned = self._log.plan(request, 0, sending=True)
    return self._log.change(planned, "done", tune_id=reply["id"], reply=reply | planned.own_fields)


def _claim_ignored(self: ExactlyOnce, pack: Any, body: Any, request: Any, precedents: Any) -> Submission:
    claimant = precedents.claimant
    if claimant is None or claimant.state in HAS_TUNE:
        return _submit(self, pack, body, request, precedents)
    reply = self._client.create_tune(self._tune.pack, body)
    return self._log.change(claimant, "adopted", tune_id=reply["id"], reply=reply | claimant.own_fields)


def _send_without_log(tune: Any, pack: Any, options: Any, *_: Any) -> RowOutcome:
    with encode(tune, options.encoding, lambda *_: None, options.preprocessing) as body:
        reply = options.client.create_tune(tune.pack, body)
        request = Request.from_tune(tune, options.client.service, body.encoding, pack=pack.id)
    return RowOutcome("done", record=reply | {"request": request})


def _recording(log: Any) -> Any:
    def end(self: Batch, number: int, outcome: RowOutcome) -> None:
        if outcome.record is not None and "request" in outcome.record:
            reply = {name: value for name, value in outcome.record.items() if name != "request"}
            planned = log.plan(outcome.record["request"], 0, sending=True)
            log.change(planned, "done", tune_id=reply["id"], reply=reply)
            outcome = replace(outcome, record=reply)
        _end(self, number, outcome)

    return end


class _Numbered:
    """Titles that count the rows."""

    def __init__(self) -> None:
        self._rows = 0

    def __call__(self, *_: object) -> str:
        self._rows += 1
        return f"batch-{self._rows}"
