"""Values as they come out of frames, uploads and other libraries; and hints that can be followed."""

import ast
import os
import re
import socket
import uuid
import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image as Pillow

import astria_nb as anb
from astria_nb.errors import Problem, TuneError
from astria_nb.images import pictures_in
from astria_nb.tune import FIELDS, check

URL = "https://example.com/1.jpg"
TRAIN: dict[str, Any] = {"pack": 43, "title": "t", "name": "cat", "image_urls": [URL]}
MISSING = [
    None, float("nan"), np.nan, np.float32("nan"), pd.NA, pd.NaT, Decimal("nan"), Decimal("snan"),
    np.datetime64("NaT", "s"), np.timedelta64("NaT", "s"), np.ma.masked, np.array(np.nan),
    pa.scalar(None), pa.scalar(None, pa.int64()), pd.array([None], "Int64")[0],
    pd.array([None], "string[pyarrow]")[0],
]  # fmt: skip
WHOLE = [260.0, np.float64(260), np.float32(260), np.int16(260), Decimal(260), pa.scalar(260)]
LINES = [
    pd.Series,
    pd.Index,
    pd.array,
    pa.array,
    np.array,
    tuple,
    iter,
    lambda items: dict.fromkeys(items).keys(),
]


def problems(**fields: Any) -> list[Problem]:
    return check({**TRAIN, **fields})[1]


@pytest.mark.parametrize("missing", MISSING, ids=repr)
def test_a_missing_value_is_an_absent_field(missing: Any) -> None:
    optional = [name for name in FIELDS if name not in TRAIN]
    assert anb.Tune(**TRAIN, **dict.fromkeys(optional, missing)) == anb.Tune(**TRAIN)
    reported = problems(pack=missing, title=missing, name=missing, image_urls=missing)
    assert [(problem.field, problem.kind) for problem in reported] == [
        (name, "missing") for name in ("pack", "title", "name", "images")
    ]
    assert "nan" not in str(reported).lower()


@pytest.mark.parametrize("missing", MISSING, ids=repr)
def test_a_missing_value_in_a_list_or_map_is_left_out(missing: Any) -> None:
    tune = anb.Tune(
        **{**TRAIN, "image_urls": [URL, missing]},
        characteristics={"eye_color": missing, "age": "30 yo"},
        prompt_attributes={"num_images": missing, "callback": missing, "style": "x"},
        prompt_ids=[missing, 3],
    )
    assert tune == anb.Tune(
        **TRAIN, characteristics={"age": "30 yo"}, prompt_attributes={"style": "x"}, prompt_ids=[3]
    )


def test_a_table_with_gaps_becomes_tunes() -> None:
    table = pd.DataFrame(
        [
            {"pack": 260, "name": "man", "title": "a", "image_urls": [URL], "preset": None},
            {"pack": 43, "name": "cat", "title": "b", "image_urls": [URL], "preset": "flux-lora-fast"},
            {"name": "cat", "title": "c", "image_urls": [URL]},
        ]
    )
    records = table.to_dict("records")
    tunes = [anb.Tune(**record) for record in records[:2]]  # type: ignore[misc]
    assert [(tune.pack, tune.preset) for tune in tunes] == [(260, None), (43, "flux-lora-fast")]
    assert [type(tune.pack) for tune in tunes] == [int, int]
    with pytest.raises(TuneError, match="pack: is missing"):
        anb.Tune(**records[2])  # type: ignore[misc]


@pytest.mark.parametrize(
    "number", [260.0, np.float64(260), np.float32(260), np.int16(260), Decimal(260), pa.scalar(260)]
)
def test_a_whole_number_of_any_kind_is_an_id(number: Any) -> None:
    tune = anb.Tune(pack=number, tune_ids=pd.Series([number]), prompt_attributes={"num_images": number})
    held = (tune.pack, *tune.tune_ids, tune.prompt_attributes["num_images"])
    assert [(type(value), value) for value in held] == [(int, 260)] * 3


@pytest.mark.parametrize(
    "value",
    [
        uuid.UUID(int=5), date(2026, 1, 31), datetime(2026, 1, 31, 8), pd.Timestamp("2026-01-31"),
        np.str_("a"), np.int64(5), np.bool_(True), np.datetime64("2026-01-31", "ns"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_prints_as_text_is_text(value: Any) -> None:
    tune = anb.Tune(**{**TRAIN, "title": value}, characteristics={"key": value}, brief=value)
    assert (tune.title, tune.characteristics["key"], tune.brief) == (str(value),) * 3
    assert {type(tune.title), type(tune.brief)} == {str}


def test_blanks_around_titles_names_and_addresses_are_removed() -> None:
    tune = anb.Tune(
        pack=43, title="\ufeff t \n", name=" cat\u200b", image_urls=[f" {URL}\n"], callback=f"\t{URL} "
    )
    assert (tune.title, tune.name, tune.image_urls, tune.callback) == ("t", "cat", (URL,), URL)


@pytest.mark.parametrize("make", LINES)
def test_any_line_of_values_is_a_list(make: Any, photos: list[Path]) -> None:
    names = [str(photo) for photo in photos]
    assert anb.Tune(pack=43, tune_ids=make([3, 1])).tune_ids == (3, 1)
    assert anb.Tune(pack=43, tune_ids=pd.Series(make([3, 1]), dtype="category")).tune_ids == (3, 1)
    tune = anb.Tune(pack=43, title="t", name="cat", images=make(names))
    assert [str(image.path) for image in tune.images] == names


def test_a_form_shows_and_saves_plain_values() -> None:
    with anb.Sandbox(deterministic=True) as sandbox:
        form = anb.TuneForm(
            sandbox.client(), pack=43.0, name=" cat ", title=uuid.UUID(int=5), callback=np.nan
        )  # type: ignore[arg-type]
        form.fill(image_urls=[URL, float("nan")], characteristics={"age": "30 yo", "eye_color": pd.NA})  # type: ignore[list-item,dict-item]
        assert form.to_dict() == {
            "pack": 43, "name": "cat", "title": str(uuid.UUID(int=5)), "image_urls": [URL],
            "characteristics": {"age": "30 yo"},
        }  # fmt: skip
        assert form.valid
        assert anb.submit(form)["title"].tolist() == [str(uuid.UUID(int=5))]


def test_a_replay_takes_a_frames_values() -> None:
    log = anb.ExperimentLog()
    with anb.Sandbox(deterministic=True) as sandbox:
        anb.submit(anb.Tune(**TRAIN, preset="flux-lora-fast"), sandbox.client(), log=log)
        row = log.replay(np.int64(1), sandbox.client(), title=uuid.UUID(int=7), preset=np.nan, brief=pd.NA)  # type: ignore[arg-type]
    assert row["title"].tolist() == [str(uuid.UUID(int=7))]


def test_a_whole_float_asks_for_the_same_as_the_whole_number() -> None:
    with anb.Sandbox(deterministic=True) as sandbox:
        ids = [
            anb.submit(anb.Tune(**TRAIN, prompt_attributes={"num_images": count}), sandbox.client())[
                "id"
            ].iloc[0]
            for count in (4, 4.0)
        ]
        assert ids[0] == ids[1]
        assert len(sandbox.received()) == 1


LOCAL = "give files as images=[…], and addresses that begin with https:// as image_urls"
SAVE_PIXELS = "save it: PIL.Image.fromarray(array).save('photo.png'), and give ['photo.png']"
WRONG: list[tuple[str, Any]] = [
    *(("pack", value) for value in ("260.0", "#260", [260], (260,), "260 ", b"260", 2.5, -1, 1e18, [[260]])),
    *(
        ("title", value)
        for value in (5, 5.0, 5.5, Decimal("1.5"), ("t",), ["t"], b"t", True, float("inf"), [[["t"]]], object)
    ),
    *(("name", value) for value in (5, ("cat",), np.array(["cat"]), b"\xff")),
    *(
        ("image_urls", value)
        for value in (
            URL,
            f"['{URL}']",
            f'["{URL}"]',
            f"{URL}, {URL}",
            f"{URL}\n{URL}",
            [[URL]],
            [(URL,)],
            {"a": URL},
            5,
            [URL.removeprefix("https://")],
            [f"https:/{URL[8:]}"],
            [f"https://{URL}"],
            [f'"{URL}"'],
            [f"<{URL}>"],
            [f"[photo]({URL})"],
            [f"{URL} {URL}"],
            ["https:\\\\example.com\\1.jpg"],
            ["//example.com/1.jpg"],
            ["https:///1.jpg"],
            ["https://"],
            ["http://photo.jpg:0"],
            ["photo.jpg"],
            ["photos/1.jpg"],
            ["C:\\1.jpg"],
            ["https://exa mple.com/1.jpg"],
            ["https://example.com/{i}.jpg"],
            ["https://example.com/é.jpg"],
            ["s3://bucket/1.jpg"],
            ["ftp://example.com/1.jpg"],
            ["data:image/png;base64,AA"],
            [URL.encode()],
            [Path("1.jpg")],
            [float("inf")],
            ["nan"],
            ["None"],
            ["https://x.org/a b?token=secret"],
            ["a\ud800"],
            "nan",
            pd.DataFrame({"a": [URL]}),
            np.array([[URL]]),
            iter([5]),
        )
    ),
    *(
        ("callback", value)
        for value in ("example.com/hook", "nowhere", 5, [URL], "localhost", URL.encode(), "tel:5")
    ),
    *(
        ("characteristics", value)
        for value in (
            {"age": 30},
            {"age": 30.0},
            {"age": 2.5},
            {"age": ["30 yo"]},
            {"age": True},
            {"age": {"a": "b"}},
            {"a[b]": "c"},
            "{'age': '30 yo'}",
            '{"age": "30 yo"}',
            pd.Series({"age": "30 yo"}),
            ["age"],
            5,
            {"age": float("inf")},
            {float("nan"): "x"},
            "age: 30 yo",
        )
    ),
    *(
        ("prompt_attributes", value)
        for value in (
            {"num_images": [4]},
            {"w": Decimal("2.5")},
            {"w": float("inf")},
            {"n": 10**30},
            {"callback": "example.com/x"},
            '{"num_images": 4}',
            {"style": ["a", "b"]},
            {"callback": 5},
        )
    ),
    *(
        ("tune_ids", value)
        for value in (5, "5", "5,6", "[5, 6]", ["5"], ["5.0"], [[5, 6]], [(5,)], [True], [0], {"a": 5})
    ),
    *(("prompt_ids", value) for value in (5.0, np.array(5), ["#7"], [7.5], {7: "x"}, [None, "8"])),
    *(("auto_extend", value) for value in ("true", "False", 1, 0.0, "maybe", 2, [True])),
    *(("preset", value) for value in ("fast", 5, ["flux-lora-fast"])),
    ("branch", "sd15"),
]


@pytest.mark.parametrize(("field", "value"), WRONG, ids=lambda value: repr(value)[:40].partition(" at ")[0])
def test_a_hint_that_is_followed_ends_the_matter(field: str, value: Any) -> None:
    """Put what a hint proposes in the place of what it is about; nothing is wrong there afterwards."""
    fields = {"pack": 43, "tune_ids": [5]} if field in ("tune_ids", "prompt_ids") else TRAIN
    reported = check({**fields, field: value})[1]
    for problem in reported:
        assert "write" not in problem.hint or "nan" not in problem.hint.lower()
        proposal = re.search(r"(?:^|; )(?:write(?: it as)?|begin it with|give) (.+)", problem.hint)
        followed = literal(proposal[1], value) if proposal else None
        if followed is None:
            continue
        key = problem.field.partition(".")[2]
        if key:
            repaired: Any = {**value, key: followed}
        elif isinstance(value, list) and FIELDS[field].shape == "list" and not isinstance(followed, list):
            repaired = [followed]
        else:
            repaired = followed
        assert check({**fields, field: repaired})[1] == [], problem
        if field == "image_urls" and isinstance(followed, str):
            assert followed.startswith(("https://example.com/", "http://example.com/"))  # no dead address


def literal(text: str, value: Any) -> Any:
    """Return the value that a hint proposes; None if it is told in words."""
    if text == "https://":
        item = (
            value[0]
            if isinstance(value, list)
            else value
            if isinstance(value, str)
            else next(iter(value.values()))
        )
        return f"https://{item}"
    if text.startswith("https://") and " " not in text:
        return text
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return None


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [
        ("title", ("t",), "write it as 't'"),
        ("characteristics", {"age": 30.0}, "write '30'"),
        ("pack", "260.0", "write 260"),
        ("tune_ids", "5, 6", "write [5, 6]"),
        ("tune_ids", 5.0, "write [5]"),
        ("image_urls", URL, f"write ['{URL}']"),
        ("image_urls", ["https:/example.com/1.jpg"], f"write {URL}"),
        ("image_urls", ["photo.jpg"], LOCAL),
        ("image_urls", ["https://example.com/{i}.jpg"], "fill in what is in braces"),
        ("image_urls", [f"{URL} {URL}"], "give each address as an item of its own"),
        ("auto_extend", "false", "give False"),
        ("characteristics", [("age", "30 yo")], "write {'age': '30 yo'}"),
        ("characteristics", [(["age"], "30 yo")], "write it like {'eye_color': 'blue eyes'}"),
    ],
)
def test_a_hint_proposes_what_was_meant(field: str, value: Any, hint: str) -> None:
    assert problems(**{field: value})[0].hint == hint


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of photos as phones and computers leave it, in the working directory."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("IMG_1.JPG", "IMG_2.JPG", "a.jpe", "b.jfif", "c.jpeg", "d.png", ".trashed-1234-IMG_9.jpg"):
        Pillow.new("RGB", (64, 64), "teal").save(folder / name, "JPEG")
    (folder / "._IMG_1.JPG").write_bytes(b"\0\5\x16\7")
    (folder / "empty.jpg").touch()
    (folder / "holiday.jpg").mkdir()
    (folder / "dead.jpg").symlink_to("nowhere")
    (folder / "notes.txt").write_text("x")
    os.mkfifo(folder / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("photos/socket.jpg")
    return folder


PICTURES = ["IMG_1.JPG", "IMG_2.JPG", "a.jpe", "b.jfif", "c.jpeg", "d.png"]


def test_only_pictures_are_listed_and_they_do_not_block_the_form(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [path.name for path in pictures_in(folder)] == PICTURES
    monkeypatch.chdir(folder)
    with anb.Sandbox(deterministic=True) as sandbox:
        form = anb.TuneForm(sandbox.client(), pack=43, name="cat")
        sources = form._draft._images.sources
        sources.selected_index = 1
        server_files = sources.children[1]
        assert "6 images" in server_files._current.value
        _, add_all = server_files._images.children[1].children
        add_all.click()
        assert form.problems == []
        assert [image.path.name for image in form.tune.images] == PICTURES


def test_a_whole_folder_is_answered_with_what_is_no_picture(folder: Path) -> None:
    reported = problems(image_urls=None, images=folder.iterdir())
    about = sorted(re.findall(r"'(?:[^']*/)?([^'/]+)'", problem.what)[0] for problem in reported)
    assert about == sorted(
        [
            ".trashed-1234-IMG_9.jpg",
            "._IMG_1.JPG",
            "empty.jpg",
            "holiday.jpg",
            "dead.jpg",
            "notes.txt",
            "pipe.jpg",
            "socket.jpg",
        ]
    )
    assert all("convert" not in problem.hint for problem in reported if "._IMG" in problem.what)


def followed(hint: str) -> Any:
    return eval(hint.partition("images=")[2] or hint.removeprefix("write "), {"Path": Path})


@pytest.mark.parametrize("images", ["photos", Path("photos"), "photos/*", ["photos/*.*"]], ids=repr)
def test_a_folder_is_its_photos_in_natural_order(folder: Path, images: Any) -> None:
    (folder / "IMG_1.JPG").rename(folder / "IMG_10.JPG")
    names = [image.path.name for image in anb.Tune(**{**TRAIN, "image_urls": None}, images=images).images]
    assert names == ["IMG_2.JPG", "IMG_10.JPG", *PICTURES[2:]]


@pytest.mark.parametrize(
    "images", ["photos/*.JPG", ["photos/*.JPG"], ["photos/IMG_?.JPG"], ["phot*/IMG_[12].JPG"]], ids=repr
)
def test_a_pattern_is_the_photos_that_it_matches(folder: Path, images: Any) -> None:
    tune = anb.Tune(**{**TRAIN, "image_urls": None}, images=images)
    assert [image.path.name for image in tune.images] == ["IMG_1.JPG", "IMG_2.JPG"]


@pytest.mark.parametrize("images", [["photos"], ["photos/*.jpg"], "photos/*.gif"], ids=repr)
def test_a_folder_in_a_list_or_an_empty_pattern_is_answered_with_code_that_works(
    folder: Path, images: Any
) -> None:
    (folder / "c.jpeg").rename(folder / "c.jpg") if "gif" not in str(images) else None
    for path in folder.glob("*.jpg"):
        path.rmdir() if path.is_dir() else path.unlink()
    (problem,) = problems(image_urls=None, images=images)
    paths = followed(problem.hint)
    assert paths
    assert problems(image_urls=None, images=paths) == []


@pytest.mark.parametrize("nothing", [[], iter([]), (), "glob"])
def test_an_empty_list_says_where_to_look(folder: Path, nothing: Any) -> None:
    (problem,) = problems(image_urls=None, images=folder.glob("*.gif") if nothing == "glob" else nothing)
    assert (problem.what, problem.kind) == ("are missing: the list is empty", "missing")
    assert "images=sorted(Path('photos').glob('*.[jJ]*'))" in problem.hint


def loaded(path: Path) -> Pillow.Image:
    with Pillow.open(path) as image:
        image.load()
    return image


class FileChooser:
    def __init__(self, selected: str | None) -> None:
        self.selected = selected


@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (lambda path: FileChooser(str(path)), "write ['IMG_1.JPG']"),
        (lambda path: FileChooser(None), "give a list of paths"),
        (lambda path: {"x.jpg": "IMG_1.JPG"}, "give the paths of the photos as a list"),
        (lambda path: [SimpleNamespace()], "save it, and give its path"),
        (lambda path: ["album.zip"], "unpack it, and give the files in it"),
        (lambda path: [[str(path)]], "put all paths in one list"),
        (lambda path: [" IMG_1.JPG\n"], "write 'IMG_1.JPG'"),
        (lambda path: URL, "give addresses as image_urls=[…]"),
        (lambda path: "IMG_1.JPG, IMG_2.JPG", "write ['IMG_1.JPG', 'IMG_2.JPG']"),
        (lambda path: "gone.jpg", "check the path, or remove it"),
    ],
)
def test_what_is_no_list_of_files_is_answered_with_a_way_to_make_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch, make: Any, hint: str
) -> None:
    monkeypatch.chdir(folder)
    with zipfile.ZipFile("album.zip", "w") as album:
        album.write("IMG_1.JPG")
    given = make(Path("IMG_1.JPG"))
    (problem,) = problems(image_urls=None, images=given)
    assert problem.hint == hint
    if hint.startswith("write "):
        proposal = followed(hint)
        assert problems(image_urls=None, images=proposal if isinstance(proposal, list) else [proposal]) == []
