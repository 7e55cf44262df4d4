"""How long the form takes to appear, and how long a keystroke in it.

python tests/benchmarks/form.py [ROUNDS]

Timed is what the kernel does, in seconds of the wall and of a processor: from `TuneForm(client)` to what the
cell shows, and a change of the title with all that the form does about it. Importing comes before.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

import astria_nb as anb

PROMISED_FORM, PROMISED_KEYSTROKE = 150.0, 5.0  # ms


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return the milliseconds of the wall, and of the processor that this thread had."""
    wall, cpu = time.perf_counter(), time.thread_time()
    work()
    return (time.perf_counter() - wall) * 1e3, (time.thread_time() - cpu) * 1e3


def main(rounds: int = 20) -> int:
    with tempfile.TemporaryDirectory() as name, anb.Sandbox() as sandbox:
        log = anb.ExperimentLog(Path(name) / "log.sqlite")
        photos = [Path(name) / f"{number}.jpg" for number in range(16)]
        for photo in photos:
            Image.effect_noise((1024, 1024), 60).convert("RGB").save(photo)
        anb.TuneForm(sandbox.client(), log=log)  # imports what it needs
        shown = [
            timed(lambda: anb.TuneForm(sandbox.client(), log=log)._repr_mimebundle_()) for _ in range(rounds)
        ]
        form = anb.TuneForm(sandbox.client(), log=log, draft="cats", pack=260, name="man", images=photos)
        time.sleep(3)  # the pictures are drawn by then
        title = form._draft.fields["title"]._text
        keys = [timed(lambda n=n: title.set_trait("value", f"title {n}")) for n in range(20 * rounds)]
    for what, taken, promised in (("form", shown, PROMISED_FORM), ("keystroke", keys, PROMISED_KEYSTROKE)):
        wall, cpu = (statistics.median(each) for each in zip(*taken, strict=True))
        print(f"{what}: {wall:.2f} ms, {cpu:.2f} ms of a processor; promised: under {promised:.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
