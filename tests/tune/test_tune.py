"""A tune: what each field may hold, and what a reader is told of the rest."""

import copy
import pickle
import uuid
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import astria_nb as anb
from astria_nb.errors import Problem, TuneError
from astria_nb.images import Image
from astria_nb.tune import FIELDS, SUBMIT_OPTIONS, TuneFields, check, from_checked

URL = "https://example.com/1.jpg"
TRAIN: dict[str, Any] = {"pack": 43, "title": "t", "name": "cat", "image_urls": [URL]}


def problems(**fields: Any) -> list[Problem]:
    """Return what is wrong with a tune that is good but for these fields."""
    with pytest.raises(TuneError) as caught:
        anb.Tune(**{**TRAIN, **fields})
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("field", "argument", "value"),
    [
        ("pack", 260, 260),
        ("pack", " 260 ", 260),
        ("pack", "corporate-headshots", "corporate-headshots"),
        ("title", "Zoë's 🐈\r\n«cat»", "Zoë's 🐈\r\n«cat»"),
        ("name", "woman", "woman"),
        ("image_urls", [URL, URL], (URL, URL)),
        ("image_urls", ("http://localhost:3000/a%20b.jpg?x=[1]&y=é".replace("é", "%C3%A9"),), None),
        ("image_urls", pd.Series([URL]), (URL,)),
        ("callback", "https://example.com/hook?user_id=1", "https://example.com/hook?user_id=1"),
        ("callback", "HTTPS://EXAMPLE.com/", "HTTPS://EXAMPLE.com/"),
        ("characteristics", {"eye_color": "blue eyes", "hair": ""}, {"eye_color": "blue eyes", "hair": ""}),
        (
            "prompt_attributes",
            {"num_images": 4, "inpaint_faces": False},
            {"num_images": 4, "inpaint_faces": False},
        ),
        ("prompts_callback", "https://example.com/", "https://example.com/"),
        ("prompt_ids", [3, 1], (3, 1)),
        ("prompt_ids", iter([3]), (3,)),
        ("preset", "flux-lora-focus", "flux-lora-focus"),
        ("brief", "warm light\nno props", "warm light\nno props"),
        ("auto_extend", False, False),
        ("branch", "fast", "fast"),
    ],
)
def test_a_good_value_is_held_as_it_is_meant(field: str, argument: Any, value: Any) -> None:
    tune = anb.Tune(**{**TRAIN, field: argument})
    assert getattr(tune, field) == (tuple(argument) if value is None else value)


@pytest.mark.parametrize(
    ("field", "argument", "what"),
    [
        ("pack", None, "is missing"),
        ("pack", 0, "0 is not an id"),
        ("pack", -3, "-3 is not an id"),
        ("pack", True, "True is not an id"),
        ("pack", 4.5, "4.5 is not an id"),
        ("pack", 1e18, "is not an id"),
        ("pack", "../admin", "neither an id nor a slug"),
        ("pack", "a/b", "neither an id nor a slug"),
        ("title", None, "is missing"),
        ("title", "  ", "is missing"),
        ("title", ["a"], "of type list, not text"),
        ("title", "\ufeff \u200b", "is missing"),
        ("title", "a\0b", "characters that cannot be sent"),
        ("title", "\ud83d", "characters that cannot be sent"),
        ("name", "", "is missing"),
        ("name", 5, "5 is a number, not text"),
        ("images", None, "are missing"),
        ("images", "me.jpg", "does not exist"),
        ("images", [b"\xff\xd8"], "content in bytes (item 1) is not a JPEG"),
        ("image_urls", URL, "not a list of addresses"),
        ("image_urls", ["ftp://example.com/1.jpg"], "is not a web address"),
        ("image_urls", ["https://"], "has no valid host"),
        ("image_urls", ["https://example.com/a b.jpg"], "must be percent-encoded"),
        ("image_urls", ["https://example.com/é.jpg"], "must be percent-encoded"),
        ("image_urls", ["https://example.com/\na"], "must be percent-encoded"),
        ("image_urls", [7], "not a web address"),
        ("callback", "example.com/hook", "is not a web address"),
        ("callback", "javascript:alert(1)", "is not a web address"),
        ("characteristics", {"eye_color": 3}, "3 is a number, not text"),
        ("characteristics", {"a": {"b": "c"}}, "not text"),
        ("characteristics", {"a[b]": "c"}, "is not a valid key"),
        ("characteristics", {" ": "c"}, "is not a valid key"),
        ("characteristics", {5: "c"}, "is not a valid key"),
        ("characteristics", "blue eyes", "is not a mapping"),
        ("prompt_attributes", {"callback": "nowhere"}, "is not a web address"),
        ("prompt_attributes", {"w": float("inf")}, "cannot be sent"),
        ("prompt_attributes", {"style": ["a"]}, "cannot be sent"),
        ("prompts_callback", 7, "is a number, not a web address"),
        ("prompt_ids", [1, 0], "0 is not an id"),
        ("prompt_ids", ["5"], "'5' is not an id"),
        ("prompt_ids", 5, "not a list of ids"),
        ("preset", "flux", "'flux' is not a valid choice"),
        ("brief", ["warm light"], "of type list, not text"),
        ("auto_extend", "false", "not a boolean"),
        ("branch", "sd15", "'sd15' is not a valid choice"),
    ],
)
def test_a_bad_value_is_named_with_its_field_and_the_next_step(field: str, argument: Any, what: str) -> None:
    fields = {field: argument, **({"image_urls": None} if field == "images" else {})}
    (problem,) = problems(**fields)
    assert problem.field.partition(".")[0] == field
    assert what in problem.what
    assert problem.hint


def test_an_entry_of_a_map_is_named_after_the_map() -> None:
    (problem,) = problems(characteristics={"eye_color": "blue", "age": 30})
    assert (problem.field, problem.hint) == ("characteristics.age", "write '30'")


def test_everything_that_is_wrong_is_said_at_once_in_the_fields_order() -> None:
    reported = problems(callback="x", title=None, prompt_ids=[0, -1], name=5, image_urls=["y", URL, "z"])
    assert [problem.field for problem in reported] == [
        "title", "name", "image_urls", "image_urls", "callback", "prompt_ids", "prompt_ids",
    ]  # fmt: skip


def test_a_faulty_image_is_not_called_missing() -> None:
    reported = problems(images=["/nowhere/me.jpg"], image_urls=None)
    assert [(problem.field, problem.what) for problem in reported] == [("images", "'me.jpg' does not exist")]


def test_a_tune_takes_files_or_addresses_not_both(photos: list[Path]) -> None:
    (problem,) = problems(images=photos)
    assert (problem.field, problem.hint) == ("image_urls", "leave out one of the two")


def test_images_may_be_paths_text_or_images(photos: list[Path]) -> None:
    sources = [photos[0], str(photos[1]), Image.open(photos[2])]
    tune = anb.Tune(pack=43, title="t", name="cat", images=sources)
    assert [image.path for image in tune.images] == photos[:3]


def test_a_run_on_existing_tunes_needs_nothing_else() -> None:
    tune = anb.Tune(pack=43, tune_ids=[5, 6])
    assert (tune.tune_ids, tune.title, tune.name, tune.images) == ((5, 6), None, None, ())


@pytest.mark.parametrize("key", ["images", "image_urls"])
def test_a_run_on_existing_tunes_takes_no_images(key: str, photos: list[Path]) -> None:
    value = {"images": photos, "image_urls": [URL]}[key]
    (problem,) = problems(**{"image_urls": None, key: value, "tune_ids": [5]})
    assert (problem.field, problem.what) == (key, "are not used when tune_ids is given")


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("packs", "pack"),
        ("prompts_attributes", "prompt_attributes"),
        ("image_url", "image_urls"),
        ("Title", "title"),
    ],
)
def test_an_unknown_field_is_a_type_error_that_names_the_nearest(wrong: str, meant: str) -> None:
    with pytest.raises(TypeError, match=f"no field '{wrong}'; did you mean '{meant}'"):
        anb.Tune(**{**TRAIN, wrong: 1})


@pytest.mark.parametrize("wrong", ["files", "age", "price", "max_price", "seed", "steps"])
def test_no_field_is_suggested_that_was_not_meant(wrong: str) -> None:
    with pytest.raises(TypeError, match=f"no field '{wrong}'; the fields are pack, "):
        anb.Tune(**{**TRAIN, wrong: 1})


@pytest.mark.parametrize(
    ("keyword", "hint"),
    [
        ("max_cost", "it is an option of anb.submit"),
        ("max_cots", r"did you mean 'max_cost', an option of anb.submit\?"),
        ("executor", "it is an option of anb.submit_many"),
    ],
)
def test_an_option_of_the_submission_is_said_to_be_one(keyword: str, hint: str) -> None:
    with pytest.raises(TypeError, match=f"no field '{keyword}'; {hint}$"):
        anb.Tune(**{**TRAIN, keyword: 1})


@pytest.mark.parametrize(("call", "argument"), [(anb.submit, "tune"), (anb.submit_many, "tunes")])
def test_all_options_of_a_submission_are_known(call: Callable[..., object], argument: str) -> None:
    assert signature(call).parameters.keys() - {argument} <= SUBMIT_OPTIONS.keys()


def test_an_unknown_field_without_a_close_match_is_answered_with_the_list() -> None:
    with pytest.raises(TypeError, match=r"the fields are pack, title, .*branch"):
        anb.Tune(**{**TRAIN, "qqqq": 1})


def test_a_tune_cannot_be_changed_but_copied_compared_and_pickled() -> None:
    tune = anb.Tune(**TRAIN, characteristics={"a": "b"})
    with pytest.raises(AttributeError):
        tune.title = "u"  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(tune)) == copy.deepcopy(tune) == tune
    assert anb.Tune(**{**TRAIN, "title": "u"}) != tune


def test_every_field_is_declared_once_and_offered_to_completion() -> None:
    assert list(FIELDS) == list(TuneFields.__annotations__)
    assert [name for name, spec in FIELDS.items() if not spec.is_parameter] == ["pack", "images"]


def test_checked_values_make_the_same_tune_without_a_second_validation(photos: list[Path]) -> None:
    fields = {**TRAIN, "image_urls": None, "images": photos, "characteristics": {"eye_color": "blue"}}
    values, problems = check(fields)
    photos[0].unlink()  # a second validation would fail
    tune = from_checked(values)
    assert problems == []
    assert vars(tune) == values
    assert [image.path for image in tune.images] == photos
    assert (tune.title, hash(tune.image_urls)) == ("t", hash(()))


SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8) | st.dates()
    | st.binary(max_size=4) | st.sampled_from([URL, "a\ud800", ..., pd.Timestamp(0), uuid.UUID(int=1)])
)  # fmt: skip
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS, inner, max_size=3),
    max_leaves=6,
)
NAMES = [name for name in FIELDS if name != "images"]


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), JUNK))
def test_any_data_makes_a_tune_or_is_answered_field_by_field(fields: dict[str, Any]) -> None:
    reported: tuple[Problem, ...] = ()
    try:
        tune = anb.Tune(**fields)
    except TuneError as error:
        reported = error.problems or (Problem("", "", ""),)
    else:
        assert tune.pack
        assert tune.tune_ids or (tune.title and tune.name and tune.image_urls)
    for problem in reported:
        assert problem.field.partition(".")[0] in FIELDS
        assert problem.what.strip()
        assert problem.hint.strip()
