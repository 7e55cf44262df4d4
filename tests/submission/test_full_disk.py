"""The disk is full at a write of the log: nothing goes off the record, and what was made is found."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import astria_nb as anb
from astria_nb.client import _transport as transport
from astria_nb.errors import AstriaError, LogError, OutcomeUnknownError
from helpers.clock import Clock
from helpers.fault_cases import CASES, Case
from helpers.faulty_service import Service, StruckLog, a_tune, behind_gateway
from helpers.large_photos import enlarge

resource = pytest.importorskip("resource", reason="this system cannot limit the size of files")


@contextmanager
def full_disk(log: Path, *, room: int) -> Iterator[None]:
    """Let no file grow: not at all, or by so many bytes of the log, so that a transaction fails half way."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    wal = Path(f"{log}-wal")
    limit = room and room + (wal.stat().st_size if wal.exists() else 0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class FullLog(StruckLog):
    """A log whose disk is full at one of its writes, or from there on.

    Attributes
    ----------
    fails_at : int
        The write, from 0.
    stays : bool
        Whether every later one fails too.
    failed : str
        What was to be written when it first failed.
    """

    fails_at, stays, failed, _writes = 0, False, "", 0

    def plan(self, *planned: Any, **how: Any) -> Any:
        with self._write("planned"):
            return super().plan(*planned, **how)

    def change(self, submission: Any, state: str, **named: Any) -> Any:
        with self._write(state):
            return super().change(submission, state, **named)

    def fail(self, at: int, *, stays: bool) -> None:
        """Fail at one of the writes that come."""
        self.fails_at, self.stays, self.failed, self._writes = at, stays, "", 0

    def make_room(self) -> None:
        """Fail no more."""
        self._writes = sys.maxsize

    @contextmanager
    def _write(self, state: str) -> Iterator[None]:
        number = self._writes
        self._writes += 1
        if number < self.fails_at or number > (sys.maxsize // 2 if self.stays else self.fails_at):
            yield
            return
        self.failed = self.failed or state
        self._database.store._idle.stop()  # a checkpoint would make room
        with full_disk(self.path, room=0 if self.stays else 5000):
            yield


# In every run, one of each outcome.
SHORT = {"no fault", "422", "429", "504 before", "504 after", "refused"}
PLANNED = [
    pytest.param(case, encoding, idempotent, id=f"{case.name}-{encoding}-{idempotent}", marks=marks)
    for idempotent in (False, True)
    for case in CASES
    for encoding in case.encodings
    for short in [case.name in SHORT and encoding == "json" and not idempotent]
    for marks in [() if short else pytest.mark.soak]
]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Service]]:
    off, on = (tmp_path_factory.mktemp("gateway") for _ in range(2))
    with (
        behind_gateway(off, idempotent=False) as not_idempotent,
        behind_gateway(on, idempotent=True) as idempotent,
    ):
        yield [not_idempotent, idempotent]


@pytest.mark.slow
@pytest.mark.parametrize(("case", "encoding", "idempotent"), PLANNED)
def test_on_a_full_disk_nothing_is_paid_twice_or_lost(
    services: list[Service], tmp_path: Path, photos: list[Path], monkeypatch: pytest.MonkeyPatch,
    case: Case, encoding: str, idempotent: bool,
) -> None:  # fmt: skip
    service, log, clock = services[idempotent], FullLog(tmp_path / "full.sqlite"), Clock()
    service.log = log
    clock.install(monkeypatch)
    monkeypatch.setattr(transport, "ANSWER_SECONDS", 0.4 if "drips" in case.name else 60)
    if case.large:
        enlarge(photos[0], 40 * 2**20)
    for stays in (False, True):
        for number in count():
            log.fail(number, stays=stays)
            tune = a_tune(f"{case.name}, {number}, {stays}", encoding, photos)
            play(service, log, tune, encoding, case)
            if not log.failed:
                break
        assert number >= 2  # that it is sent, and what came of it


def play(service: Service, log: FullLog, tune: anb.Tune, encoding: str, case: Case) -> None:
    """Submit under a fault on a disk that is full at some write, then with room again."""
    before, error = service.posts(), None
    service.plan(case)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "the tune was created, but not recorded as created")
            row = service.submit(tune, encoding)
        assert list(row["id"]) == service.tune_ids(tune)
    except AstriaError as caught:
        error = caught
    service.heal()
    log.make_room()
    created = service.tune_ids(tune)
    assert len(created) <= 1
    if log.failed and not (created and error is None):
        assert isinstance(error, LogError)
    if log.failed and log.fails_at == 0:
        assert service.posts() == before

    log.recover(service.client(), settle=0)
    assert log.unsettled(service.client().service) == []
    if created:
        assert service.state(tune) in ("done", "adopted")
    try:
        assert list(service.submit(tune, encoding)["id"]) == (created or service.tune_ids(tune))
    except OutcomeUnknownError:
        assert service.state(tune) == "needs_review"
    assert len(service.tune_ids(tune)) <= 1


def test_a_log_that_cannot_be_made_stops_a_submission(services: list[Service], tmp_path: Path) -> None:
    service = services[0]
    service.log, before = FullLog(tmp_path / "new.sqlite"), service.posts()
    service.log.make_room()
    tune = a_tune("first", "json", [])
    with full_disk(service.log.path, room=0), pytest.raises(LogError, match="free space and your quota"):
        service.submit(tune, "json")
    assert service.posts() == before
    assert list(service.submit(tune, "json")["id"]) == service.tune_ids(tune)
