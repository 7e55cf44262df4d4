"""Every function that takes rows takes them in every form in which they come back."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.errors import TuneError
from helpers.row_forms import IDS, ONE, WHOLE, Form

URL = "https://example.com/1.jpg"
MONTH = 31.0  # days
QUICK = ["wait", "callbacks", "prompts", "expiring"]
SLOW = ["download", "gallery", "timeline", "image_counts", "costs"]


class Stage:
    """A finished tune and a run on it, and what each function says of them."""

    def __init__(self, sandbox: anb.Sandbox, folder: Any) -> None:
        self.sandbox, self.client, self.folder = sandbox, sandbox.client(), folder
        self.log = anb.ExperimentLog(folder / "log.sqlite")
        self.callbacks = anb.Callbacks(self.log, self.client)
        self.ax = plt.figure().gca()
        tune = anb.Tune(pack=43, name="cat", image_urls=[URL], title="first")
        row = anb.submit(tune, self.client, log=self.log)
        template = self.client.pack(797).prompts[0].id
        run = anb.submit(
            anb.Tune(pack=797, tune_ids=[1000001], prompt_ids=[template]), self.client, log=self.log
        )
        both = pd.concat([row, run], ignore_index=True)
        self.rows = anb.wait(both, self.client, until="prompts", poll=0, log=self.log)

    def said_of(self, rows: Any, names: Sequence[str] | None = None) -> dict[str, Any]:
        """Return what functions that take rows say of them; default: all of these functions."""
        uses: dict[str, Callable[[], Any]] = {
            "wait": lambda: self.states(anb.wait(rows, self.client, poll=0)),
            "callbacks": lambda: self.states(self.callbacks.wait(rows)),
            "prompts": lambda: sorted(anb.prompts(rows, self.client)["id"]),
            "expiring": lambda: sorted(anb.expiring(rows, self.client, days=MONTH)["title"]),
            "download": lambda: sorted(anb.download(rows, self.client, self.folder / "out")["file"]),
            "gallery": lambda: self.counts(anb.gallery(rows, self.client)),
            "timeline": lambda: self.drawn(anb.timeline, rows),
            "image_counts": lambda: self.drawn(anb.image_counts, rows, self.client),
            "costs": lambda: self.drawn(anb.costs, rows, self.client),
        }
        return {name: uses[name]() for name in names or uses}

    def counts(self, gallery: Any) -> str:
        gallery.stop()
        return repr(gallery)

    def drawn(self, plot: Callable[..., Any], *arguments: Any) -> tuple[str, int]:
        self.ax.clear()
        return plot(*arguments, ax=self.ax).get_title(), len(self.ax.patches)

    def states(self, rows: pd.DataFrame) -> list[Any]:
        return (
            rows["id"].astype(object).where(rows["id"].notna(), None).tolist() + rows["status"].tolist()[:1]
        )


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with anb.Sandbox(deterministic=True) as sandbox:
        stage = Stage(sandbox, tmp_path_factory.mktemp("stage"))
        yield stage
        stage.log.close()
        plt.close("all")


@pytest.fixture(scope="module")
def said(stage: Stage) -> dict[str, Any]:
    return stage.said_of(stage.rows)


@pytest.fixture(scope="module")
def said_of_first(stage: Stage) -> dict[str, Any]:
    return stage.said_of(stage.rows.iloc[[0]])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "form"), WHOLE.items(), ids=list(WHOLE))
def test_rows_are_used_as_they_were(stage: Stage, said: dict[str, Any], name: str, form: Form) -> None:
    slow = SLOW[list(WHOLE).index(name) % len(SLOW)]  # one of them for each form
    found = stage.said_of(form(stage.rows), [*QUICK, slow])
    assert found == {name: said[name] for name in found}


@pytest.mark.soak
@pytest.mark.parametrize("form", WHOLE.values(), ids=list(WHOLE))
def test_rows_are_used_as_they_were_by_every_function(stage: Stage, said: dict[str, Any], form: Form) -> None:
    assert stage.said_of(form(stage.rows)) == said


@pytest.mark.parametrize("form", ONE.values(), ids=list(ONE))
def test_one_row_is_used_as_a_frame_of_one(stage: Stage, said_of_first: dict[str, Any], form: Form) -> None:
    assert stage.said_of(form(stage.rows)) == said_of_first
    fields = anb.TuneForm.from_row(form(stage.rows), stage.client, log=stage.log).to_dict()
    assert (fields["pack"], fields["name"], fields["image_urls"]) == (43, "cat", [URL])


@pytest.mark.parametrize(("name", "form"), IDS.items(), ids=list(IDS))
def test_ids_are_looked_up(stage: Stage, said_of_first: dict[str, Any], name: str, form: Form) -> None:
    # The other plots ask for no rows, and show nothing of ids.
    slow = ["download", "gallery", "image_counts"][list(IDS).index(name) % 3]
    found = stage.said_of(form(stage.rows.iloc[[0]]), [*QUICK, slow])
    assert found == {name: said_of_first[name] for name in found}


@pytest.mark.parametrize("name", ["csv", "records"])
def test_prompts_are_drawn_in_any_form(stage: Stage, name: str) -> None:
    prompts = anb.prompts(stage.rows, stage.client)

    def drawn(prompts: Any) -> tuple[int, str]:
        stage.ax.clear()
        anb.timeline(stage.rows, prompts, ax=stage.ax)
        bars = len(stage.ax.patches)
        stage.ax.clear()
        return bars, anb.image_counts(prompts, ax=stage.ax).get_title()

    assert drawn(WHOLE[name](prompts)) == drawn(prompts)
    assert drawn(prompts)[1] == "9 images of 1 tune"


@pytest.mark.parametrize("wrong", [7, "a", [object()], pd.DataFrame({"images": [[]], "text": [""]})])
def test_what_are_no_prompts_is_told(stage: Stage, wrong: Any) -> None:
    for prompts in (wrong, stage.rows):
        with pytest.raises(TuneError, match=r"^prompts: "):
            anb.timeline(stage.rows, prompts, ax=stage.ax)


def test_a_form_starts_from_an_id_that_the_log_has(stage: Stage) -> None:
    form = anb.TuneForm.from_row(stage.rows.loc[0, "id"], stage.client, log=stage.log)
    assert (form.to_dict()["name"], form.to_dict()["image_urls"]) == ("cat", [URL])
    with pytest.raises(
        TuneError, match="row: does not contain the fields of its tune, and neither does the log;"
    ):
        anb.TuneForm.from_row(7, stage.client, log=stage.log)


def test_a_form_starts_from_one_row(stage: Stage) -> None:
    for rows, message in ((stage.rows, "expected one row, got 2; select one"), ("a", "got 'a'")):
        with pytest.raises(TuneError, match=message):
            anb.TuneForm.from_row(rows, stage.client)
    assert anb.TuneForm.from_row(stage.rows.iloc[[0]], stage.client).to_dict()["name"] == "cat"


@pytest.mark.parametrize(
    "wrong", [pd.DataFrame({"id": [1], "eta": ["soon"]}), pd.DataFrame({"a": [1]}), None]
)
def test_what_are_no_rows_is_told_by_every_function(stage: Stage, wrong: Any) -> None:
    client, out = stage.client, stage.folder / "none"
    calls = [
        lambda: anb.wait(wrong, client),
        lambda: anb.keep_longer(wrong, client),
        lambda: anb.prompts(wrong, client),
        lambda: anb.download(wrong, client, out),
        lambda: anb.gallery(wrong, client),
        lambda: anb.timeline(wrong, ax=stage.ax),
        lambda: anb.image_counts(wrong, client, ax=stage.ax),
        lambda: anb.costs(wrong, client, ax=stage.ax),
        lambda: stage.callbacks.wait(wrong),
        lambda: anb.TuneForm.from_row(wrong, client),
        lambda: anb.rows.typed(wrong),
    ]
    for call in calls:
        with pytest.raises(TuneError, match=r"^frame: "):
            call()
    assert not out.exists()
