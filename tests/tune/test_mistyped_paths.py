"""Paths as people copy and type them, and files that are not photos: each hint ends the matter."""

import os
import re
from pathlib import Path, PureWindowsPath
from typing import Any

import pytest
from PIL import Image as Pillow

from astria_nb.errors import Problem
from astria_nb.tune import check
from helpers.disks import as_nobody

TRAIN: dict[str, Any] = {"pack": 43, "title": "t", "name": "cat"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working directory, with photos and other files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PHOTOS", str(tmp_path))
    for name in (
        "a.jpg",
        ".hidden.jpg",
        "a b.jpg",
        "e\u0301.jpg",
        "9\u202fAM.jpg",
        "~t.jpg",
        "sub/deep/b.jpg",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Pillow.new("RGB", (9, 9), "teal").save(path)
    Pillow.new("P", (9, 9)).save("g.gif")
    Path("page.jpg").write_text("<!DOCTYPE html><title>Sign in</title>")
    Path("lfs.jpg").write_text("version https://git-lfs.github.com/spec/v1\n")
    Path("film.jpg").write_bytes(b"\0\0\0\x18ftypqt  \0\0\0\0")
    Path("empty.jpg").touch()
    Path("loop.jpg").symlink_to("loop.jpg")
    Path("zero.jpg").symlink_to("/dev/zero")
    os.mkfifo("pipe.jpg")
    return tmp_path


def problems(images: Any) -> list[Problem]:
    return check({**TRAIN, "images": images})[1]


def followed(hint: str) -> Any:
    return eval(hint.partition("images=")[2] or hint.removeprefix("write "), {"Path": Path})


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("'a.jpg'", "a.jpg"),
        ('"a.jpg",', "a.jpg"),
        ("\u200ba.jpg", "a.jpg"),
        ("\u202aa.jpg\xa0", "a.jpg"),
        ("A.JPG", "a.jpg"),
        ("a  b.jpg", "a b.jpg"),
        ("\xe9.jpg", "e\u0301.jpg"),  # as a Mac writes it
        ("9 AM.jpg", "9\u202fAM.jpg"),  # a screenshot of a Mac
        ("$PHOTOS/a.jpg", "{folder}/a.jpg"),
        ("sub\\deep\\b.jpg", "sub/deep/b.jpg"),
    ],
)
def test_the_file_that_was_meant_is_proposed(folder: Path, path: str, meant: str) -> None:
    path, meant = (text.replace("{folder}", str(folder)) for text in (path, meant))
    (problem,) = problems([path])
    assert problem.hint == f"write {meant!r}"
    assert problems(path) == [problem]
    assert problems(meant) == problems([meant]) == []


@pytest.mark.parametrize(
    ("path", "what", "hint"),
    [
        ("g.gif", "is a GIF image", "convert it to JPEG, or remove it"),
        ("G.GIF", "is a GIF image", "convert it to JPEG, or remove it"),
        ("page.jpg", "is a web page", "download the image itself, or remove it"),
        ("lfs.jpg", "only stands for an image in Git LFS", "run git lfs pull, or remove it"),
        ("film.jpg", "is a video", "save a frame of it as JPEG, or remove it"),
        ("empty.jpg", "is empty", "copy it again, or remove it"),
        ("pipe.jpg", "is not a regular file", "leave it out, or save its content as a file"),
        ("zero.jpg", "is not a regular file", "leave it out, or save its content as a file"),
        ("/dev/zero", "is not a regular file", "leave it out, or save its content as a file"),
        ("https://example.com/1.jpg", "is an address", "give addresses as image_urls=[…]"),
        ("https://example.com/1.jpg?width=2000", "is an address", "give addresses as image_urls=[…]"),
        ("HTTPS://EXAMPLE.COM/1.jpg", "is an address", "give addresses as image_urls=[…]"),
        ("data:image/png;base64,AA", "is an address", "save it, and give its path"),
        ("file:///gone.jpg", "does not exist", "check the address, or remove it"),
        ("C:\\Users\\me\\1.jpg", "is a path of another computer", "upload the file to where this"),
        ("\\\\server\\share\\1.jpg", "is a path of another computer", "upload the file to where this"),
        ("sub", "is a folder", "leave it out: no picture is directly in it"),
        ("*.gif", "is a pattern that matches no image", "give the files: "),
    ],
)  # fmt: skip
def test_what_is_no_photo_is_answered_alike_alone_and_in_a_list(path: str, what: str, hint: str) -> None:
    for images in (path, [path]):
        (problem,) = problems(images)
        assert what in problem.what
        assert problem.hint.startswith(hint)


@pytest.mark.parametrize("path", [r"C:\Users\me\1.jpg", r"\\server\share\1.jpg", r"C:\Users\me"])
def test_a_path_is_shown_as_it_was_typed(path: str) -> None:
    for field in ("images", "image_urls"):
        (problem,) = check({"pack": 260, "name": "woman", "title": "a", field: [path]})[1]
        assert f"'{path}'" in problem.what


@pytest.mark.parametrize(
    "path", ["gone.jpg", "loop.jpg", "~/gone.jpg", "a.jpg\0", "\0", "a" * 300, "a/" * 3000]
)
def test_what_is_not_there_is_answered_with_where_to_look(path: str) -> None:
    (problem,) = problems([path])
    assert re.match("check (the path|it), or remove it", problem.hint)
    (problem,) = problems(path)
    assert re.match("check (the path|it), or remove it", problem.hint)


@pytest.mark.parametrize(
    "path", [".hidden.jpg", "~t.jpg", Path("a.jpg"), PureWindowsPath("sub\\deep\\b.jpg")]
)
def test_a_file_that_is_named_is_taken_whatever_its_name(path: Any) -> None:
    assert problems([path]) == problems(path) == []


@pytest.mark.parametrize("images", [".", ["*.jpg"], Path(), "file://{folder}", ["*.[jJ]*"]], ids=repr)
def test_a_folder_or_a_pattern_is_every_photo_of_it_and_nothing_else(folder: Path, images: Any) -> None:
    for name in ("g.gif", "page.jpg", "lfs.jpg", "film.jpg"):
        Path(name).unlink()
    images = images.replace("{folder}", str(folder)) if isinstance(images, str) else images
    values, reported = check({**TRAIN, "images": images})
    names = ["9\u202fAM.jpg", "a b.jpg", "a.jpg", "e\u0301.jpg", "~t.jpg"]
    assert ([image.path.name for image in values["images"]], reported) == (names, [])


@pytest.mark.parametrize("address", ["file://{folder}/a%20b.jpg", "FILE://localhost{folder}/a b.jpg"])
def test_an_address_of_a_file_on_this_machine_is_its_path(folder: Path, address: str) -> None:
    address = address.replace("{folder}", str(folder))
    for images in (address, [address]):
        values, reported = check({**TRAIN, "images": images})
        assert ([image.path for image in values["images"]], reported) == ([folder / "a b.jpg"], [])


def test_a_folder_that_cannot_be_read_is_not_called_empty() -> None:
    with as_nobody() as home:
        closed = home / "closed"
        closed.mkdir(0)
        reported = [*problems(str(closed)), *problems([closed]), *problems(f"{closed}/*.jpg")]
        closed.chmod(0o700)
    assert len(reported) == 3
    assert all("cannot be read" in f"{problem.what}; {problem.hint}" for problem in reported)


@pytest.mark.parametrize("blank", ["", " ", "\xa0", "\u200b"])
def test_a_blank_cell_is_an_absent_field(blank: str) -> None:
    urls = ["https://example.com/1.jpg", blank]
    fields = dict.fromkeys(
        ("callback", "preset", "tune_ids", "characteristics", "auto_extend", "images"), blank
    )
    values, reported = check({**TRAIN, "image_urls": urls, **fields})
    assert reported == []
    assert values["image_urls"] == ("https://example.com/1.jpg",)
    reported = check({"pack": blank, "title": blank, "name": blank, "images": [blank]})[1]
    assert [problem.kind for problem in reported] == ["missing"] * 4
