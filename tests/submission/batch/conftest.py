"""A sandbox whose key workers find, and a log that those in this process let go of."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import astria_nb as anb
from astria_nb.submission.batch import _worker as worker


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[anb.Sandbox]:
    with anb.Sandbox(tune_fields="record") as running:
        monkeypatch.setenv("ASTRIA_API_KEY", running.api_key)
        worker._client.cache_clear()
        yield running
        worker._client.cache_clear()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[anb.ExperimentLog]:
    with closing(anb.ExperimentLog(tmp_path / "log.sqlite")) as log:
        yield log
    for there in worker._logs.values():
        there.close()
    worker._logs.clear()
    worker._confirmed.clear()
