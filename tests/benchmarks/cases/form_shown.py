"""A fresh kernel until it shows a form, and what its reader does first."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.protocol import Case, Figure

IMPORTS = """import time
started = time.perf_counter()
import ipywidgets, pandas, requests, ipyfilechooser
print(time.perf_counter() - started)"""
FORM = """import time
started = time.perf_counter()
import astria_nb as anb
log = anb.ExperimentLog({log!r})
form = anb.TuneForm(anb.Client({key!r}, base_url={url!r}), log=log, images={photos!r})
display(form)
print(time.perf_counter() - started)"""
# A reader looks at the form, and types; the kernel's main thread is to be free for that.
TYPING = """longest, until = 0.0, time.perf_counter() + {seconds}
while (before := time.perf_counter()) < until:
    time.sleep(0.001)
    longest = max(longest, time.perf_counter() - before)
print(longest)
def parts(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from parts(child)
def describes(part):
    return getattr(part, "description", "")"""
DONE_FIRST = {
    "click": "next(part for part in parts(form) if describes(part) == 'Browse packs').click()",
    "submit": "form.fill(pack=43, name='cat'); form.submit()",
    "frame": "log.frame()",
}
TIMED = "started = time.perf_counter(); {}\nprint(time.perf_counter() - started)"


@contextmanager
def prepared(folder: Path, seconds: float) -> Iterator[dict[str, Any]]:
    """Make four photos, and serve a sandbox."""
    del seconds
    from PIL import Image

    import astria_nb as anb

    photos = [folder / f"{number}.jpg" for number in range(4)]
    for photo in photos:
        Image.effect_noise((1024, 1024), 60).convert("RGB").save(photo)
    with anb.Sandbox() as sandbox:
        yield {"photos": [*map(str, photos)], "url": sandbox.url, "key": sandbox.api_key}


def in_fresh_kernel(*cells: str) -> list[float]:
    """Return the number that each cell prints."""
    from jupyter_client.manager import KernelManager

    manager = KernelManager(kernel_name="python3")
    assert manager.kernel_spec is not None
    manager.kernel_spec.argv[0] = sys.executable
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        return [number_printed_by(client, cell) for cell in cells]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def number_printed_by(client: Any, cell: str) -> float:
    """Run a cell, and return the number that it prints last."""
    texts: list[str] = []

    def output(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
            texts.append(message["content"]["text"])

    answer = client.execute_interactive(cell, output_hook=output)
    assert answer["content"]["status"] == "ok", answer["content"]
    return float("".join(texts).split()[-1])


def peer(**_: Any) -> dict[str, float]:
    (seconds,) = in_fresh_kernel(IMPORTS)
    return {"shown": seconds}


def ours(seconds: float, photos: list[str], url: str, key: str) -> dict[str, float]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        form = FORM.format(log=f"{folder}/log.sqlite", key=key, url=url, photos=photos)
        first = [TIMED.format(code) for code in DONE_FIRST.values()]
        shown, longest, *times = in_fresh_kernel(form, TYPING.format(seconds=seconds), *first)
    return {"shown": shown, "typing": longest, **dict(zip(DONE_FIRST, times, strict=True))}


CASE = Case(
    what="a fresh kernel until it shows a form with four photos",
    against="the imports of ipywidgets, pandas, requests and ipyfilechooser",
    ours=ours,
    peer=peer,
    figures=(
        Figure("shown", "to a shown form", most=1.2),
        Figure("typing", "the longest that what is loaded then keeps a keystroke", beside=None),
        Figure("click", "the first click, a second later", beside="today"),
        Figure("submit", "the first submit after it", beside="today"),
        Figure("frame", "the first frame after it", beside="today"),
    ),
    sizes={"seconds": 1.0},
    small={"seconds": 0.01},
    prepare=prepared,
    rounds=9,
)
