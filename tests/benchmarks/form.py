"""How long the form takes to appear, and how long a keystroke in it, beside the bare widgets it is made of.

Run ``python tests/benchmarks/form.py [rounds [photos]]``.

Timed is what the kernel does: from `TuneForm(client)` to what the cell displays, beside creating and
displaying as many plain text widgets of ipywidgets; and a change of the title with everything that the form
does about it, beside a change of a plain text widget. Importing comes before.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import ipywidgets
from PIL import Image

import astria_nb as anb

PROMISED_FORM, PROMISED_KEYSTROKE = 3.0, 100.0  # times the bare widgets


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return the milliseconds of wall time, and of this thread's processor time."""
    wall, cpu = time.perf_counter(), time.thread_time()
    work()
    return (time.perf_counter() - wall) * 1e3, (time.thread_time() - cpu) * 1e3


def number_of_widgets(widget: ipywidgets.Widget) -> int:
    return 1 + sum(map(number_of_widgets, getattr(widget, "children", ())))


def bare_widgets(count: int) -> object:
    return ipywidgets.VBox([ipywidgets.Text() for _ in range(count)])._repr_mimebundle_()


def report(name: str, ours: list[tuple[float, float]], bare: list[tuple[float, float]], limit: float) -> bool:
    wall, cpu = (statistics.median(values) for values in zip(*ours, strict=True))
    bare_cpu = statistics.median(cpu for _, cpu in bare)
    print(
        f"{name}: {wall:.2f} ms, {cpu:.2f} ms of a processor; bare widgets {bare_cpu:.3f} ms of it;", end=" "
    )
    print(f"ratio {cpu / bare_cpu:.1f}, promised: at most {limit:.0f}")
    return cpu / bare_cpu <= limit


def main(rounds: int = 20, photos: int = 16) -> int:
    with tempfile.TemporaryDirectory() as name, anb.Sandbox() as sandbox:
        log = anb.ExperimentLog(Path(name) / "log.sqlite")
        paths = [Path(name) / f"{number}.jpg" for number in range(photos)]
        for path in paths:
            Image.effect_noise((1024, 1024), 60).convert("RGB").save(path)

        def display_form() -> object:
            return anb.TuneForm(sandbox.client(), log=log)._repr_mimebundle_()

        display_form()  # imports what it needs
        count = number_of_widgets(anb.TuneForm(sandbox.client(), log=log))
        bare_widgets(count)
        forms, bare_forms = [], []
        for _ in range(rounds):
            forms.append(timed(display_form))
            bare_forms.append(timed(lambda: bare_widgets(count)))
        form = anb.TuneForm(sandbox.client(), log=log, draft="cats", pack=260, name="man", images=paths)
        time.sleep(0.2 * photos)  # until the thumbnails are drawn
        title, text = form._draft.fields["title"]._text, ipywidgets.Text()
        keys, bare_keys = [], []
        for number in range(20 * rounds):
            keys.append(timed(lambda value=f"title {number}": title.set_trait("value", value)))
            bare_keys.append(timed(lambda value=f"title {number}": text.set_trait("value", value)))
    is_kept = report(f"form of {count} widgets", forms, bare_forms, PROMISED_FORM)
    is_kept &= report("keystroke", keys, bare_keys, PROMISED_KEYSTROKE)
    return not is_kept


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
