"""A form that is created again, and a keystroke in it, beside the bare widgets that it is made of."""

import statistics
from collections.abc import Callable
from typing import Any

from benchmarks.protocol import Case, Figure


def median_of(work: Callable[[int], object], times: int) -> float:
    """Return the seconds of this thread's processor."""
    import time

    durations = []
    for number in range(times):
        started = time.thread_time()
        work(number)
        durations.append(time.thread_time() - started)
    return statistics.median(durations)


def peer(times: int, widgets: int) -> dict[str, Any]:
    import ipywidgets

    def display(_: int) -> object:
        return ipywidgets.VBox([ipywidgets.Text() for _ in range(widgets)])._repr_mimebundle_()

    display(0)
    text = ipywidgets.Text()
    return {
        "form": median_of(display, times),
        "keystroke": median_of(lambda number: text.set_trait("value", f"title {number}"), 20 * times),
    }


def ours(times: int, **_: Any) -> dict[str, Any]:
    import tempfile

    import astria_nb as anb

    with tempfile.TemporaryDirectory() as folder, anb.Sandbox() as sandbox:
        log = anb.ExperimentLog(f"{folder}/log.sqlite")

        def display(_: int) -> object:
            return anb.TuneForm(sandbox.client(), log=log)._repr_mimebundle_()

        display(0)  # imports what it needs
        displayed = median_of(display, times)
        form = anb.TuneForm(sandbox.client(), log=log, draft="cats", pack=260, name="man")
        title = form._draft.fields["title"]._text
        keystroke = median_of(lambda number: title.set_trait("value", f"title {number}"), 20 * times)
        log.close()
    return {"form": displayed, "keystroke": keystroke}


CASE = Case(
    what="a form that is displayed again, and a keystroke in it: processor",
    against="344 bare text widgets; one of them",
    ours=ours,
    peer=peer,
    figures=(Figure("form", "until it is displayed", most=3), Figure("keystroke", "a keystroke", most=100)),
    sizes={"times": 20, "widgets": 344},
    small={"times": 1, "widgets": 20},
    rounds=3,
)
