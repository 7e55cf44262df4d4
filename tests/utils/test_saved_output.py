"""The saved copy of a widget: a change is not lost, and its upkeep makes no call fail."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from IPython.core.displaypub import CapturingDisplayPublisher

from astria_nb.utils.saved_output import SavedOutput

HOUR = 3600.0


def displayed(html: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> tuple[SavedOutput, list[str]]:
    """Return an output that is brought up to date by the ends of cells only, and what it published."""
    published: list[str] = []
    output = SavedOutput("Form", html)
    monkeypatch.setattr("astria_nb.utils.saved_output._INTERVAL", HOUR)
    output._updated = time.monotonic()
    publisher = SimpleNamespace(publish=lambda data, *_, **options: published.append(data["text/html"]))
    output._shell = SimpleNamespace(display_pub=publisher)
    return output, published


def test_an_interrupt_at_the_end_of_a_cell_leaves_the_change_for_the_next(monkeypatch: pytest.MonkeyPatch):
    outcomes: list[BaseException | str] = [KeyboardInterrupt(), "latest"]

    def html() -> str:
        outcome = outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    output, published = displayed(html, monkeypatch)
    output.changed()
    with pytest.raises(KeyboardInterrupt):
        output.update()
    output.update()
    assert [page.count("latest") for page in published] == [1]


def test_without_a_free_thread_a_change_waits_for_another(monkeypatch: pytest.MonkeyPatch):
    output, published = displayed(lambda: "latest", monkeypatch)

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        output.changed()
    output.changed()
    output.update()
    assert [page.count("latest") for page in published] == [1]


def test_a_cell_that_captures_its_output_gets_no_updates(monkeypatch: pytest.MonkeyPatch):
    pages = ["first", "second", "third"]
    output, published = displayed(lambda: pages.pop(0), monkeypatch)
    notebook, capturing = output._shell.display_pub, CapturingDisplayPublisher()
    for publisher in (notebook, capturing, notebook):
        output._shell.display_pub = publisher
        output.changed()
        output.update()
    assert len(published) == 3
    assert all(text in page for text, page in zip(("first", "second", "third"), published, strict=True))
    assert capturing.outputs == []


def test_a_widget_hides_no_copy_that_another_kernel_saved():
    number = "from astria_nb.utils.saved_output import SavedOutput; print(SavedOutput('Form', str).number)"
    kernels = [subprocess.run([sys.executable, "-c", number], capture_output=True) for _ in range(2)]
    first, second = (int(kernel.stdout) for kernel in kernels)
    assert first != second
    assert max(first, second) < 2**53  # as a number of JavaScript
