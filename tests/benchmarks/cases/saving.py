"""From Submit to the last picture in a kernel, while the saved copy of the form is kept current."""

from typing import Any

from benchmarks.protocol import Case, Figure

BEGIN = """
import time
import astria_nb as anb
from IPython.display import display
sandbox = anb.Sandbox(speed=SPEED).start()
log = anb.ExperimentLog("log.sqlite")
def submit(is_displayed):
    fields = dict(pack=260, name="woman", image_urls=["https://example.com/1.jpg"])
    form = anb.TuneForm(sandbox.client(), log=log, **fields)
    if is_displayed:
        display(form)
    started = time.perf_counter()
    form.submit()
    gallery = form._panel.training.gallery
    while gallery.state != "finished":
        time.sleep(0.005)
    print(time.perf_counter() - started, len(gallery.cards))
submit(True)
"""


def ours(speed: int, times: int) -> dict[str, Any]:
    import os
    import statistics
    import tempfile
    from contextlib import ExitStack
    from pathlib import Path

    from helpers.kernels import kernel, run

    seconds: dict[bool, list[float]] = {False: [], True: []}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        client = kernel(stack, os.environ, folder)
        run(client, BEGIN.replace("SPEED", str(speed)))
        for _ in range(times):
            for is_displayed, durations in seconds.items():
                duration, pictures = map(float, run(client, f"submit({is_displayed})").split()[-2:])
                assert pictures == 35, pictures
                durations.append(duration)
        run(client, "sandbox.stop()")
    without, displayed = (statistics.median(durations) for durations in seconds.values())
    return {"displayed": displayed, "ratio": displayed / without}


CASE = Case(
    what="from Submit to the last picture of a tune of five seconds, with a saved copy",
    against="a form that is not displayed, in turn in one kernel",
    ours=ours,
    figures=(
        Figure("ratio", "time", most=1.1, beside=None, unit=""),
        Figure("displayed", "with a saved copy", beside=None),
    ),
    sizes={"speed": 150, "times": 5},
    small={"speed": 3000, "times": 1},
    rounds=1,
)
