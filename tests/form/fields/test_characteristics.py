"""An example prompt of the pack, with the characteristics filled in."""

import html
from typing import Any

import pytest

import astria_nb as anb
from astria_nb.form.fields import CharacteristicsField
from helpers.scripted_server import KEY, ScriptedServer, reply

EVIL = "<img src=x onerror=alert(1)>"
PACK: dict[str, Any] = {
    "id": 43,
    "costs": {"cat": {"cost": 198}, "dog": {"cost": 198}},
    "prompts_per_class": {
        "cat": [
            {"id": 1, "images": [], "text": "ohwx cat, sleeping"},
            {"id": 2, "images": [], "text": f"ohwx cat, {{{{fur_color}}}}, {{{{ eye_color }}}}, {EVIL}"},
        ],
        "dog": [{"id": 3, "images": [], "text": "ohwx dog, running"}],
    },
}


@pytest.fixture
def form(server: ScriptedServer) -> anb.TuneForm:
    server.on("GET", "/p/43", reply(PACK))
    server.on("GET", "/packs", reply([]))
    server.on("GET", "/gallery/packs", reply([]))
    return anb.TuneForm(anb.Client(KEY, base_url=server.url), pack=43, name="cat")


def example(form: anb.TuneForm) -> str | None:
    field = form._draft.fields["characteristics"]
    assert isinstance(field, CharacteristicsField)
    return None if field._example.layout.display == "none" else field._example.value


def test_the_prompt_with_most_placeholders_is_shown_filled_in(form: anb.TuneForm) -> None:
    prompt = example(form)
    assert prompt is not None
    assert "ohwx cat, {{fur_color}}, {{eye_color}}, " in html.unescape(prompt)
    form.fill(characteristics={"eye_color": "blue <eyes>"})
    assert "{{fur_color}}, <b>blue &lt;eyes&gt;</b>, " in example(form)
    assert "<img" not in example(form)


def test_a_class_whose_prompts_have_no_placeholders_shows_no_prompt(form: anb.TuneForm) -> None:
    form.fill(name="dog")
    assert example(form) is None
    form.fill(name="cat")
    assert example(form) is not None


def test_the_example_contains_no_control_characters() -> None:
    field = CharacteristicsField()
    field.set_templates(["a\x1b[2J\u202e {{eye_color}}\n{{x\u2066}}"])
    field.value = {"eye_color": "blue\u202e"}
    assert field._example.value.isprintable()
    assert "a\ufffd[2J\ufffd <b>blue\ufffd</b> {{x\ufffd}}" in field._example.value
