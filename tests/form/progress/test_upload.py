"""The words beside the upload's bar."""

from types import SimpleNamespace

import pytest

from astria_nb.form.progress import UploadPanel
from astria_nb.form.progress import _upload as upload
from astria_nb.utils import progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(upload, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def test_the_rate_is_that_of_the_upload_and_not_of_what_came_before(clock: SimpleNamespace) -> None:
    panel = UploadPanel()
    panel.show_start()
    clock.now += 60  # the pack is looked up, and a title
    panel.on_sent(1_000, 16_600_000)
    assert panel._text.value == "0.0 of 17 MB"
    clock.now += 2
    panel.on_sent(4_000_000, 16_600_000)
    assert panel._text.value == "4.0 of 17 MB · 2.0 MB/s · 6 s left"


def test_a_call_tells_the_rate_of_its_upload(clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []
    monkeypatch.setattr(progress, "time", upload.time)
    display = progress.Progress("Submitting")
    monkeypatch.setattr(display, "update", lambda _, text: texts.append(text))
    clock.now += 60
    display.update_bytes(1_000, 16_600_000)
    clock.now += 2
    display.update_bytes(4_000_000, 16_600_000)
    assert texts == ["0.0 of 17 MB", "4.0 of 17 MB · 2.0 MB/s"]
