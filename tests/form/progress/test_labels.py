"""Tags and a note, in the form's result: what the log has, and what is typed there."""

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import astria_nb as anb
from helpers.form_widgets import labelled, messages
from helpers.scripted_server import KEY

URL = "https://example.com/1.jpg"
CODE = f"""
import astria_nb as anb
client = anb.Sandbox(deterministic=True).start().client()
log = anb.ExperimentLog("log.sqlite")
form = anb.TuneForm(client, log=log, pack=43, name="cat", title="t", image_urls=[{URL!r}])
row = form.submit()
form
"""


@pytest.fixture
def log(tmp_path: Path) -> anb.ExperimentLog:
    return anb.ExperimentLog(tmp_path / "log.sqlite")


@pytest.fixture
def form(log: anb.ExperimentLog) -> Iterator[anb.TuneForm]:
    """A form whose tune was submitted."""
    with anb.Sandbox(deterministic=True) as sandbox:
        form = anb.TuneForm(sandbox.client(), log=log, pack=43, name="cat", title="t", image_urls=[URL])
        assert form._panel._labels.layout.display == "none"
        form.submit()
        yield form
        form._panel.training.stop()


def recorded(log: anb.ExperimentLog) -> tuple[list[str], str | None]:
    row = log.frame().iloc[-1]
    return list(row["tags"]), row["note"]


def test_what_is_typed_is_in_the_log_and_in_the_saved_copy(
    form: anb.TuneForm, log: anb.ExperimentLog
) -> None:
    assert form._panel._labels.layout.display is None
    labelled(form, "Tags").value = 'good likeness , "client A, B",, 5" lens'
    assert recorded(log)[0] == ["good likeness", "client A, B", '5" lens']
    assert labelled(form, "Tags").value == 'good likeness, "client A, B", 5" lens'
    assert messages(form).splitlines()[-2] == "saved"
    labelled(form, "Note").value = " the eyes are <dark> "
    assert recorded(log)[1] == "the eyes are <dark>"
    labelled(form, "Tags").value = '5" lens, a\u0301rbol, \u00e1rbol'  # two ways to write it
    assert recorded(log)[0] == ['5" lens', "\u00e1rbol"]
    copy = form._repr_mimebundle_()[0]["text/html"]
    assert "<p>Tags: 5&#34; lens, \u00e1rbol</p><p>Note: the eyes are &lt;dark&gt;</p>" in copy
    labelled(form, "Tags").value = labelled(form, "Note").value = ""
    assert recorded(log)[0] == []
    assert "Note:" not in form._repr_mimebundle_()[0]["text/html"]


def test_what_the_log_refuses_is_said_and_stays_to_be_mended(
    form: anb.TuneForm, log: anb.ExperimentLog
) -> None:
    labelled(form, "Note").value = f"mine, sent with {KEY}"
    assert "note: holds what looks like a key or a password; leave that out" in messages(form)
    labelled(form, "Tags").value = "x" * 101
    assert "tags: 'xxx" in messages(form)
    assert "is not one line of at most 100 characters; shorten it" in messages(form)
    labelled(form, "Tags").value = "x" * 200_000
    assert "is not one line" in messages(form)
    assert recorded(log)[0] == []
    labelled(form, "Tags").value = "good"
    assert "is not one line" not in messages(form)
    assert recorded(log)[0] == ["good"]
    assert labelled(form, "Note").value.startswith("mine, ")


def test_what_another_notebook_has_written_stays(form: anb.TuneForm, log: anb.ExperimentLog) -> None:
    labelled(form, "Tags").value = "good, client A"
    log.tag(form.row, "from elsewhere")
    log.note(form.row, "one\ntwo")
    labelled(form, "Tags").value = "good"
    assert recorded(log)[0] == ["good", "from elsewhere"]
    panel = form._panel._labels
    assert panel._long_note.value == "one\ntwo"  # in a field that has lines
    assert (panel._long_note.layout.display, panel._note.layout.display) == (None, "none")
    assert "Note: one<br>two" in form._repr_mimebundle_()[0]["text/html"]


def test_each_tune_has_its_own_and_a_new_form_shows_them(form: anb.TuneForm, log: anb.ExperimentLog) -> None:
    labelled(form, "Tags").value = "first"
    labelled(form, "Note").value = "x" * 10_001  # is refused
    form.new_title()
    form.submit()
    assert [labelled(form, label).value for label in ("Tags", "Note")] == ["", ""]
    labelled(form, "Tags").value = "second"
    assert [list(tags) for tags in log.frame()["tags"]] == [["first"], ["second"]]
    again = anb.TuneForm(form.client, log=log, **{**form.to_dict(), "title": "t"})
    assert labelled(again, "Tags").value == "first"


def test_a_cell_that_tags_is_seen_in_the_form_above_and_in_the_file(tmp_path: Path) -> None:
    code = [CODE, "log.tag(row, 'client A')", "form._panel._labels._tags.value"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in code])
    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert notebook.cells[2].outputs[0].data["text/plain"] == "'client A'"
    assert "<p>Tags: client A</p>" in notebook.cells[0].outputs[-1].data["text/html"]
