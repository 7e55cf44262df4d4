"""Odd values, files and JSON are refused by name or become a row; no other error is raised."""

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

import astria_nb as anb
from astria_nb import rows
from astria_nb.errors import TuneError
from astria_nb.images import Image, thumbnail
from astria_nb.tune import FIELDS, encode

URL = "https://example.com/1.jpg"
TRAIN: dict[str, Any] = {"pack": 43, "title": "t", "name": "cat", "image_urls": [URL]}


class Rude:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "name",
    ["~nosuchuser/a.jpg", "a\0b.jpg", "a\ud800.jpg", "a" * 5000],
    ids=["home of nobody", "NUL", "surrogate", "too long"],
)
def test_an_impossible_path_is_an_image_problem(name: str) -> None:
    with pytest.raises(TuneError, match="images: "):
        Image.open(name)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", Rude()),
        ("title", 10**5000),
        ("characteristics", {"a": Rude()}),
        ("pack", "1" * 5000),
        ("tune_ids", np.array(5)),
        ("preset", np.array(["a", "b"])),
    ],
    ids=["rude title", "huge title", "rude entry", "digits", "0-d array", "array preset"],
)
def test_an_odd_value_is_a_problem_of_its_field(field: str, value: object) -> None:
    with pytest.raises(TuneError) as caught:
        anb.Tune(**{**TRAIN, field: value})
    assert caught.value.problems[0].field.partition(".")[0] == field


@pytest.mark.parametrize(
    "path", ["~nosuchuser/*.jpg", "~nosuchuser", "a\0*", "*" * 5000, "/", "", ".", "**", "~"]
)
def test_any_text_as_images_is_answered(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for images in (path, [path]):
        with pytest.raises(TuneError, match="images: "):
            anb.Tune(pack=43, title="t", name="cat", images=images)


@pytest.mark.parametrize(
    ("field", "value"),
    [("pack", 10**5000), ("prompt_ids", [2**63]), ("prompt_attributes", {"n": 10**5000})],
    ids=["pack", "id", "attribute"],
)
def test_a_number_out_of_range_is_refused(field: str, value: Any) -> None:
    with pytest.raises(TuneError):
        anb.Tune(**{**TRAIN, field: value})


def test_a_port_out_of_range_is_not_called_a_missing_scheme() -> None:
    with pytest.raises(TuneError) as caught:
        anb.Tune(**{**TRAIN, "image_urls": ["https://example.com:99999/1.jpg"]})
    assert caught.value.problems[0].hint != "begin it with https://"


def test_numpy_numbers_are_numbers() -> None:
    anb.Tune(**TRAIN, prompt_attributes={"num_images": np.int64(4)}, auto_extend=np.True_)  # type: ignore[arg-type]


def test_a_phone_photo_of_several_pictures_is_a_jpeg(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    small = Pillow.new("RGB", (100, 80))
    small.save(path, "MPO", save_all=True, append_images=[small])
    assert Image.open(path).media_type == "image/jpeg"
    thumbnail(path)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_truncated_image_is_not_a_permission_error(tmp_path: Path, kind: str) -> None:
    out = io.BytesIO()
    Pillow.new("RGB", (64, 48)).save(out, kind)
    (tmp_path / "a.png").write_bytes(out.getvalue()[:22])
    with pytest.raises(TuneError) as caught:
        Image.open(tmp_path / "a.png")
    assert "permissions" not in caught.value.problems[0].hint


def test_a_thumbnail_of_16_bit_grey() -> None:
    out = io.BytesIO()
    Pillow.new("I;16", (200, 100)).save(out, "PNG")
    thumbnail(out.getvalue(), 50)


def test_a_body_cannot_be_sent_twice_as_an_empty_success() -> None:
    body = encode(anb.Tune(**TRAIN))
    list(body)
    with pytest.raises(Exception, match=r"sent|used|once"):
        list(body)


@pytest.mark.parametrize(
    "prompt",
    [
        {"id": 1, "text": "\ud800"},
        {"id": 1, "\ud800": 1},
        {"id": 1, "cfg_scale": 10**400},
        {"id": 1, "images": 5},
    ],
    ids=["surrogate", "surrogate key", "huge float", "number as images"],
)
def test_odd_json_makes_a_row(prompt: dict[str, Any]) -> None:
    assert len(rows.prompt_frame([prompt])) == 1


def test_text_as_images_is_not_taken_letter_by_letter() -> None:
    assert rows.picture_urls({"images": "https://x/1"}) in ([], ["https://x/1"])


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters())
    | st.sampled_from([10**400, "2026-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "schema"), [(rows.tune_frame, rows.TUNE_SCHEMA), (rows.prompt_frame, rows.PROMPT_SCHEMA)]
)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_any_json_makes_a_row_of_the_fixed_types(make: Any, schema: Any, data: st.DataObject) -> None:
    keys = st.sampled_from([*schema.names, "new", "new_at"]) | st.text(max_size=3)
    records = data.draw(st.lists(st.dictionaries(keys, JSON, max_size=8), min_size=1, max_size=3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame = make(records)
    empty = make([])
    assert frame.dtypes[empty.columns].equals(empty.dtypes)
    repr(frame)


RUDE = st.sampled_from(
    [
        np.int64(3),
        np.float32(2),
        np.array([1, 2]),
        np.array(5),
        pd.NA,
        pd.NaT,
        10**400,
        "a\0",
        "\ud800",
        Path("x"),
        b"x",
    ]
)
JUNK = st.recursive(
    RUDE | st.text(max_size=5) | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from(list(FIELDS)), JUNK))
def test_any_arguments_make_a_tune_or_a_tune_error(fields: dict[str, Any]) -> None:
    problems = []
    try:
        anb.Tune(**fields)
    except TuneError as error:
        problems = list(error.problems)
    assert all(problem.field and problem.what.strip() and problem.hint.strip() for problem in problems)
