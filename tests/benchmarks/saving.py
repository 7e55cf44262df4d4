"""What keeping the saved copy of a form current adds to the time from Submit to the last picture.

Run ``python tests/benchmarks/saving.py [rounds [speed]]``. At a speed of 150 a tune takes five seconds.

A real kernel submits a form and waits until its last picture has arrived, in turn with the form displayed,
so that its copy goes to the notebook whenever something changes, and not displayed.
"""

import os
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a program

from helpers.kernels import kernel, run

PROMISED = 1.1
BEGIN = """
import time
import astria_nb as anb
from IPython.display import display
sandbox = anb.Sandbox(speed=SPEED).start()
log = anb.ExperimentLog("log.sqlite")
def submit(shown):
    fields = dict(pack=260, name="woman", image_urls=["https://example.com/1.jpg"])
    form = anb.TuneForm(sandbox.client(), log=log, **fields)
    if shown:
        display(form)
    started, processor = time.perf_counter(), time.process_time()
    form.submit()
    gallery = form._panel.training.gallery
    while gallery.state != "finished":
        time.sleep(0.005)
    print(time.perf_counter() - started, time.process_time() - processor, len(gallery.cards))
submit(True)
"""


def main(rounds: int = 10, speed: int = 150) -> int:
    seconds: dict[bool, list[float]] = {False: [], True: []}
    processor: dict[bool, list[float]] = {False: [], True: []}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        client = kernel(stack, os.environ, folder)
        run(client, BEGIN.replace("SPEED", str(speed)))
        for _ in range(rounds):
            for shown in (False, True):
                wall, cpu, pictures = map(float, run(client, f"submit({shown})").split()[-3:])
                assert pictures == 35, pictures
                seconds[shown].append(wall)
                processor[shown].append(cpu)
        run(client, "sandbox.stop()")
    (without, with_copy) = (statistics.median(seconds[shown]) for shown in (False, True))
    cpu_without, cpu_with = (statistics.median(processor[shown]) for shown in (False, True))
    print(f"until the last picture: {without:.2f} s without a copy, {with_copy:.2f} s with one")
    print(f"processor, the sandbox included: {cpu_without:.2f} s and {cpu_with:.2f} s")
    print(f"with / without {with_copy / without:.2f}, promised: at most {PROMISED}")
    return with_copy / without > PROMISED


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
