"""Titles that are made of keys and rows: stable, distinct, readable."""

import hashlib
import io
import subprocess
import sys
import uuid
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

import astria_nb as anb
from astria_nb import Tune
from astria_nb.submission._titles import is_same_title, standard_title
from astria_nb.submission.batch import read_tunes
from astria_nb.submission.batch._made_titles import key_text, title_of_key
from helpers.paths import ROOT

URL = "https://example.com/1.jpg"
BASE: dict[str, Any] = {"pack": 43, "name": "cat", "image_urls": [URL]}


def title_of(**fields: Any) -> str:
    """Return the title that is made for one row."""
    table = read_tunes([{**BASE, **fields}])
    assert table.problems.empty, table.problems["message"].tolist()
    (tune,) = table.tunes
    assert tune is not None
    return str(tune.title)


def test_a_title_of_values_is_this_one() -> None:
    """A later release may not make another one: what was sent would be sent again."""
    assert title_of() == "batch-43-cat-55c541bef8c7f8952bf5bd28"
    full = title_of(
        characteristics={"age": "30 yo"}, prompt_attributes={"num_images": 4}, preset="flux-lora-fast"
    )
    assert full == "batch-43-cat-61dff32eef862ab143f298e9"


FORMER = [
    ("size=9", "3257fd2d09f31700586d3ed0", True),
    ("rlkey=abc&st=x1&dl=1", "223a4ff2c9aaaf33a93b402c", True),
    ("w=9&s=0123456789abcdef0123456789abcdef", "672c3b17554717cffe554f8e", True),
    ("e=1767225600&token=AK:sig", "2168bd2ef7d4d31f2750fa34", False),
    ("tempauth=v1.eyJ", "d5d9f5517d71e8a927a09ff3", False),
    ("stp=dst-jpg&_nc_cat=1&oh=00_Af&oe=66AA0000", "2ed8f7b02a1ea99e8fa3b398", False),
]


@pytest.mark.parametrize(("query", "digest", "is_same"), FORMER)
def test_a_title_that_was_made_before_a_signature_was_known_is_remembered(
    query: str, digest: str, is_same: bool
) -> None:
    table = read_tunes([{**BASE, "image_urls": [f"{URL}?{query}"]}])
    former = f"batch-43-cat-{digest}"
    assert (title_of(image_urls=[f"{URL}?{query}"]) == former) is is_same
    assert table.former_titles == ({} if is_same else {0: former})


EQUAL: list[dict[str, Any]] = [
    {"pack": "43"},
    {"pack": 43.0},
    {"name": " cat "},
    {"title": None, "key": float("nan"), "brief": pd.NA, "characteristics": {}, "tune_ids": None},
    {"image_urls": (URL,)},
    {"image_urls": f'["{URL}"]'},
    {"image_urls": [f"{URL}?X-Amz-Signature=00&X-Amz-Date=20260101T000000Z"]},  # signed again in each run
    {"image_urls": [f"{URL}?tempauth=v1.eyJ"]},
    {"image_urls": [f"{URL}?e=1767225600&token=AK:sig"]},
    {"callback": "https://example.com/hook?run=1"},
    {"prompts_callback": "https://example.com/hook?run=1"},
    {"prompt_attributes": {"callback": "https://example.com/hook?run=1"}},
    {"characteristics.eye_color": None},
]
DIFFERENT: list[dict[str, Any]] = [
    {"pack": 260},
    {"name": "dog"},
    {"image_urls": [f"{URL}?size=2"]},
    {"image_urls": [URL, URL]},
    {"characteristics": {"age": "30 yo"}},
    {"prompt_attributes": {"num_images": 4}},
    {"prompt_attributes": {"num_images": "5"}},
    {"prompt_attributes": {"style": "1 a"}},
    {"prompt_attributes": {"style": "1"}},
    {"prompt_ids": [4]},
    {"preset": "flux-lora-fast"},
    {"brief": "x"},
    {"auto_extend": True},
    {"auto_extend": False},
    {"branch": "fast"},
    {"images": "p", "image_urls": None},
    {"tune_ids": [5], "image_urls": None},
    {"tune_ids": [5, 6], "image_urls": None},
]


@pytest.mark.parametrize("fields", EQUAL, ids=repr)
def test_what_asks_for_the_same_has_the_same_title(fields: dict[str, Any]) -> None:
    assert title_of(**fields) == title_of()


def test_what_asks_for_another_has_another_title(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p").mkdir()
    Pillow.new("RGB", (9, 9)).save("p/1.jpg")
    titles = [title_of(), *(title_of(**fields) for fields in DIFFERENT)]
    assert len(set(map(standard_title, titles))) == len(titles)
    assert all(title.startswith("batch-") and len(title) < 100 for title in titles)


LINES = ("a\r\nb", "a\rb", "a\nb", "a_x000D_\nb")  # the last is how pandas reads what Excel wrote


@pytest.mark.parametrize(
    "name", ["key", "brief", "characteristics.x", "prompt_attributes.x", "characteristics"]
)
def test_line_ends_do_not_count(name: str) -> None:
    """Excel changes them, and so does whatever reads a CSV file that is open as text."""
    cells: list[Any] = [{text: text} for text in LINES] if name == "characteristics" else [*LINES]
    (title,) = {title_of(**{name: cell}) for cell in cells}
    assert title != title_of(**{name: "a b" if isinstance(cells[0], str) else {"a b": "a b"}})


def test_a_title_of_the_owner_is_the_same_in_a_frame_as_in_a_tune() -> None:
    for title in LINES:
        assert title_of(title=title) == anb.Tune(pack=43, title=title, name="cat", image_urls=[URL]).title


def test_order_does_not_count() -> None:
    urls = [URL, f"{URL}?2"]
    assert title_of(image_urls=urls) == title_of(image_urls=urls[::-1])
    assert title_of(tune_ids=[5, 6], image_urls=None) == title_of(tune_ids=[6, 5], image_urls=None)
    keys = [("age", "30 yo"), ("eye_color", "blue eyes")]
    assert title_of(characteristics=dict(keys)) == title_of(characteristics=dict(keys[::-1]))


def test_a_path_counts_as_written_and_content_by_its_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p").mkdir()

    def made(images: Any) -> str:
        return title_of(image_urls=None, images=images)

    Pillow.new("RGB", (9, 9), "teal").save("p/1.jpg")
    of_path, content = made(["p/1.jpg"]), Path("p/1.jpg").read_bytes()
    with Pillow.open("p/1.jpg") as image:
        of_pixels = made(image)
    assert of_path == made("p/1.jpg") == made("./p//1.jpg") == made([Path("p/1.jpg")]) == made('["p/1.jpg"]')
    assert made(["p/1.jpg", content]) == made([content, "p/1.jpg"])
    in_memory = [content, bytearray(content), io.BytesIO(content), {"other.jpg": content}]
    assert {made(images) for images in in_memory} == {made([content])}
    with Pillow.open("p/1.jpg") as image:
        image.load()  # as a notebook does that shows it
    assert made(image) == made([image.copy()]) == of_pixels
    assert made(np.asarray(image)) == made(np.asarray(image).copy())
    Pillow.new("RGB", (9, 9), "red").save("p/1.jpg")
    assert made("p/1.jpg") == of_path
    for name in ("Zo\xeb.jpg", "Zoe\u0308.jpg"):
        Path(name).write_bytes(content)
    assert made("Zo\xeb.jpg") == made(["Zoe\u0308.jpg"])
    others = {of_path, of_pixels, made(content), made(Path("p/1.jpg").read_bytes()), made(np.asarray(image))}
    assert len(others | {made("p"), made("p/*.jpg")}) == 7


KEYS = st.text(min_size=1).filter(lambda text: text.strip() and "\0" not in text and text.isprintable())


@given(KEYS, KEYS)
def test_two_keys_have_two_titles(first: str, second: str) -> None:
    one, two = (title_of_key(str(key_text(key))) for key in (first, second))
    assert is_same_title(one, two) == (key_text(first) == key_text(second))
    assert len(one) <= 100
    assert one.isascii()


@pytest.mark.parametrize(
    ("key", "title"),
    [
        ("anna-01", "batch-anna-01"),
        (7, "batch-7"),
        (7.0, "batch-7"),
        (np.int8(7), "batch-7"),
        ("007", "batch-7"),  # as CSV gives it back
        ("7.0", "batch-7"),
        ("1e5", "batch-100000"),
        ("0123456789012345678901", "batch-0123456789012345678901"),
        ("7.5", "batch-7.5"),
        (" anna ", "batch-anna"),
        (date(2026, 1, 31), "batch-2026-01-31"),
        (pd.Timestamp("2026-01-31"), "batch-2026-01-31"),  # as CSV and Excel give them back
        ("2026-01-31 00:00:00.000", "batch-2026-01-31"),
        (pd.Timestamp("2026-01-31 12:00:00.5"), "batch-2026-01-31 12:00:00.5"),
        ("2026-01-31T12:00:00.500Z", f"batch-{key_text('2026-01-31 12:00:00.5+00:00')}"),
        (uuid.UUID(int=7), f"batch-{uuid.UUID(int=7)}"),
        ("a  b", "batch-a-b~" + hashlib.sha256(b"a  b").hexdigest()[:12]),
        ("x" * 200, "batch-" + 60 * "x" + "~" + hashlib.sha256(200 * b"x").hexdigest()[:12]),
        ("日本", "batch-~" + hashlib.sha256("日本".encode()).hexdigest()[:12]),
    ],
)
def test_a_title_of_a_key_can_be_read(key: Any, title: str) -> None:
    assert title_of(key=key) == title
    assert read_tunes([{**BASE, "key": key}]).keys == (key_text(key),)


def test_a_column_of_days_gives_the_same_titles_through_csv() -> None:
    days = pd.to_datetime(["2026-01-31", "2026-02-01"])
    for name in ("key", "title", "characteristics.day"):
        frame = pd.DataFrame([BASE, BASE]).assign(**{name: days})
        again = pd.read_csv(io.StringIO(frame.to_csv(index=False)))
        assert read_tunes(again).tunes == read_tunes(frame).tunes


@pytest.mark.parametrize("key", [True, np.bool_(True), 1.5, np.float32(1.5), b"a", [1]], ids=repr)
def test_what_is_no_key_is_refused(key: Any) -> None:
    table = read_tunes([{**BASE, "key": key}])
    assert table.problems[["field"]].to_numpy().tolist() == [["key"]]
    assert "give text or a whole number" in table.problems["message"].iloc[0]


def test_equal_rows_need_two_keys() -> None:
    frame = pd.DataFrame([BASE, {**BASE, "name": "dog"}, BASE, BASE], index=["a", "b", "c", "d"])
    table = read_tunes(frame)
    assert set(table.problems["field"]) == {"key"}
    assert dict(zip(table.problems["row"], table.problems["message"], strict=True)) == {
        row: (
            f"row '{row}' asks for the same as row 'a'; drop it, or give a key, in a column 'key', to row "
            f"'{row}' and to all rows that were not sent before, and to no other"
        )
        for row in "cd"
    }
    assert [tune is None for tune in table.tunes] == [False, False, True, True]
    assert read_tunes(frame.assign(key=range(4))).problems.empty
    assert read_tunes(frame.assign(key=[None, None, 1, 2])).problems.empty


def test_no_key_is_proposed_for_equal_rows_that_may_both_have_been_sent() -> None:
    """Once they had two titles: under a third one, the tune would be paid for again."""
    ends = ("e=1767225600&token=AK:a", "e=1769904000&token=AK:b")
    table = read_tunes([{**BASE, "image_urls": [f"{URL}?{end}"]} for end in ends])
    what = "row 1 asks for the same as row 0, with other signatures in its addresses"
    hint = "drop it; if it was sent before, its row is in log.frame()"
    assert table.problems.to_numpy().tolist() == [[1, "image_urls", f"{what}; {hint}"]]


def test_a_title_that_became_a_number_in_a_file_is_not_guessed() -> None:
    frame = pd.DataFrame([{**BASE, "title": "007"}])
    content = frame.to_csv(index=False)
    (message,) = read_tunes(pd.read_csv(io.StringIO(content))).problems["message"]
    assert message.endswith("read it with dtype={'title': str}: '007' is not '7'")
    again = pd.read_csv(io.StringIO(content), dtype={"title": str})
    assert read_tunes(again).tunes == read_tunes(frame).tunes


def test_a_run_without_a_title_has_that_of_a_row() -> None:
    """Without one, a list of runs would be paid again whenever its cell is run again."""
    run = Tune(pack=43, tune_ids=[6, 5], prompt_ids=[1])
    table = read_tunes([run, Tune(pack=43, tune_ids=[5]), Tune(pack=43, tune_ids=[5])])
    assert [tune and tune.title for tune in table.tunes[:1]] == [
        title_of(name=None, image_urls=None, tune_ids=[5, 6], prompt_ids=[1])
    ]
    what = (
        "row 2 asks for the same as row 1; drop it, or give row 2, and no row that was sent before, a title"
    )
    assert table.problems.to_numpy().tolist() == [[2, "title", what]]


def test_a_key_or_title_belongs_to_one_row() -> None:
    frame = pd.DataFrame([BASE, BASE, BASE, BASE], index=[5, 6, 7, 8])
    keys = read_tunes(frame.assign(key=["a", "b", "a", 7]))
    assert keys.problems.to_numpy().tolist() == [
        [7, "key", "'a' is the key of row 7 and of row 5; give each row its own key"]
    ]
    same = ["a  b", "a b", "Zo\xeb", "Zoe\u0308"]  # a service may store them alike
    assert len(read_tunes(frame.assign(title=same)).problems) == 2
    titles = read_tunes(frame.assign(title=["a", "a ", "batch-x", None], key=[None, None, None, "x"]))
    assert titles.problems["field"].tolist() == ["title", "title"]
    assert "'a' is the title of row 6 and of row 5" in titles.problems["message"].iloc[0]


def test_titles_are_the_same_in_another_process() -> None:
    code = (
        "from astria_nb.submission.batch import read_tunes; "
        f"print(*[t.title for t in read_tunes([{BASE!r}, {BASE!r} | {{'key': 'k'}}]).tunes])"
    )
    environment = {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout.split() == [title_of(), "batch-k"], done.stderr
