"""A tune as a request body: three encodings, one meaning, read back by parsers that are not ours."""

import hashlib
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import astria_nb as anb
from astria_nb.errors import TuneError
from astria_nb.images import UNCHANGED
from astria_nb.tune import Body, encode
from helpers.body_parsers import Part, by_node, multipart, nested, parameters

NODE = shutil.which("node")
URL = "https://example.com/1.jpg?a=b&c=d%20e"
TRAIN: dict[str, Any] = {"pack": 43, "title": "t", "name": "cat"}
FULL: dict[str, Any] = {
    **TRAIN,
    "title": 'Zoë 🐈 "quoted" & 100% = a+b; c\r\nsecond line\nthird',
    "image_urls": [URL, URL, "https://example.com/2.jpg"],
    "callback": "https://example.com/hook?user_id=1&x=[1]",
    "characteristics": {"eye_color": "blue eyes", "empty": "", "a'b=c; d%41": "--", "é🐈": "  spaced  "},
    "prompt_attributes": {"callback": URL, "num_images": 4, "cfg": 2.5, "fix": True, "crop": False},
    "prompts_callback": "https://example.com/all",
    "prompt_ids": [3, 1, 3],
    "preset": "flux-lora-fast",
    "brief": "warm light; 35 mm,\r\nno props",
    "auto_extend": False,
    "branch": "fast",
}


def sent(body: Body) -> bytes:
    """Read a body as the network does: a block is used up before the next one is made."""
    return b"".join(bytes(block) for block in body)


def read(tune: anb.Tune, encoding: Any) -> dict[str, Any]:
    body = encode(tune, encoding)
    return parameters(body.content_type, sent(body))


@pytest.mark.parametrize("encoding", ["multipart", "form", "json"])
def test_every_field_arrives_as_it_was_given(encoding: str) -> None:
    assert read(anb.Tune(**FULL), encoding) == {
        "tune": {
            **{key: value for key, value in FULL.items() if key != "pack"},
            "prompt_attributes": {
                "callback": URL, "num_images": "4", "cfg": "2.5", "fix": "true", "crop": "false",
            },
            "prompt_ids": ["3", "1", "3"],
            "auto_extend": "false",
        }
    }  # fmt: skip


@pytest.mark.parametrize("encoding", ["multipart", "form", "json"])
def test_what_was_not_given_is_not_sent(encoding: str) -> None:
    body = read(anb.Tune(pack=43, tune_ids=[5, 6]), encoding)
    assert body == {"tune": {"tune_ids": ["5", "6"]}}


LOST_KEYS = ['a"b', "a\\b", "a\nb", "a\rb", "a; name=b", "é" * 501]


@pytest.mark.parametrize("key", LOST_KEYS)
@pytest.mark.parametrize("field", ["characteristics", "prompt_attributes"])
def test_a_key_that_multipart_would_change_is_refused_there_only(
    field: str, key: str, photos: list[Path]
) -> None:
    fields = {**TRAIN, field: {key: "x", "é" * 500: "y"}}
    words = rf"^{field}: .*multipart/form-data; use letters and underscores, such as 'eye_color', or "
    with pytest.raises(TuneError, match=words + "give addresses as image_urls instead of files$"):
        anb.Tune(**fields, images=photos)
    tune = anb.Tune(**fields, image_urls=[URL])
    with pytest.raises(TuneError, match=words + "choose encoding='json'$"):
        encode(tune, "multipart")
    for encoding in ("form", "json"):
        assert read(tune, encoding)["tune"][field] == fields[field]


def test_the_name_of_a_file_cannot_be_taken_for_that_of_its_part(tmp_path: Path, photos: list[Path]) -> None:
    (path,) = renamed(tmp_path, photos[0], ["a; name=b; NAME=c.jpg"])
    with encode(anb.Tune(**TRAIN, images=[path]), preprocessing=UNCHANGED) as body:
        assert b'; filename="a%3B name=b%3B NAME=c.jpg"' in sent(body)


@pytest.mark.parametrize("number", [1e20, 1e-7, 5e-324, -1.5e300, 0.1])
def test_forms_have_numbers_without_exponents(number: float) -> None:
    """An integer column reads 1e+20 as 1."""
    written = read(anb.Tune(pack=43, tune_ids=[1], prompt_attributes={"cfg": number}), "form")
    text = written["tune"]["prompt_attributes"]["cfg"]
    assert "e" not in text
    assert float(text) == number


def test_more_files_than_the_service_reads_are_refused(photos: list[Path]) -> None:
    assert len(anb.Tune(**TRAIN, images=photos[:1] * 127).images) == 127
    words = r"^images: 128 files .* reads 127 .*; send at most 127 files, or give addresses as image_urls"
    with pytest.raises(TuneError, match=words):
        anb.Tune(**TRAIN, images=photos[:1] * 128)


def test_json_keeps_numbers_and_booleans() -> None:
    import json

    fields = json.loads(sent(encode(anb.Tune(**FULL), "json")))["tune"]
    assert fields["prompt_ids"] == [3, 1, 3]
    assert fields["auto_extend"] is False
    assert fields["prompt_attributes"]["cfg"] == 2.5


@pytest.mark.parametrize("encoding", ["multipart", "form"])
def test_booleans_are_lower_case_for_rails(encoding: str) -> None:
    body = sent(encode(anb.Tune(**FULL), encoding))
    assert b"True" not in body
    assert b"False" not in body


def test_the_default_is_multipart_for_files_and_json_for_addresses(photos: list[Path]) -> None:
    assert encode(anb.Tune(**TRAIN, image_urls=[URL])).encoding == "json"
    files = encode(anb.Tune(**TRAIN, images=photos))
    files.close()
    assert files.encoding == "multipart"


NAMES = ["1.jpg", "Zoë 🐈.jpg", 'a"b.jpg', "a\r\nb.jpg", "a;b=c, d.jpg", "a  b.jpg", "%22.jpg", "a\\b.jpg"]


def renamed(tmp_path: Path, photo: Path, names: list[str]) -> list[Path]:
    folder = tmp_path / "named"
    folder.mkdir()
    return [Path(shutil.copy(photo, folder / name)) for name in names]


def test_each_file_is_a_part_with_its_name_its_type_and_its_bytes(tmp_path: Path, photos: list[Path]) -> None:
    paths = [*renamed(tmp_path, photos[0], NAMES), photos[1]]
    with encode(anb.Tune(**TRAIN, images=paths), preprocessing=UNCHANGED) as body:
        parts = multipart(body.content_type, sent(body))
        digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
        # A browser writes `"` as %22, and no parser can tell that from a name with a %22 in it.
        names = [path.name.replace("%22", '"') for path in paths]
        assert parts == [
            Part("tune[title]", "t"),
            Part("tune[name]", "cat"),
            *(
                Part("tune[images][]", digest, name, "image/jpeg")
                for name, digest in zip(names, digests, strict=True)
            ),
        ]
        assert body.image_sha256 == digests


def test_the_names_of_files_stay_with_the_reader(tmp_path: Path, photos: list[Path]) -> None:
    paths = renamed(tmp_path, photos[0], ["2024-05-12 Anna Graz.jpg", "PXL_20240512_101112.JPG"])
    Image.open(photos[0]).save(tmp_path / "Anna.png")
    tune = anb.Tune(**TRAIN, images=[*paths, tmp_path / "Anna.png"])
    with encode(tune) as body:
        content = sent(body)
        names = [part.filename for part in multipart(body.content_type, content) if part.filename]
    assert names == ["1.jpg", "2.jpg", "3.png"]
    assert b"Anna" not in content
    assert b"PXL" not in content


@pytest.mark.skipif(NODE is None, reason="needs Node, whose FormData is the second parser")
def test_node_reads_the_same_form(tmp_path: Path, photos: list[Path]) -> None:
    tune = anb.Tune(**{**FULL, "image_urls": None, "images": renamed(tmp_path, photos[0], NAMES)})
    with encode(tune, preprocessing=UNCHANGED) as body:
        content = sent(body)
    parts = by_node(str(NODE), body.content_type, content)
    assert parts == multipart(body.content_type, content)
    assert [part.filename for part in parts if part.filename][1] == NAMES[1]


@pytest.mark.skipif(NODE is None, reason="needs Node, whose FormData is the second parser")
def test_node_reads_the_same_url_form() -> None:
    body = encode(anb.Tune(**FULL), "form")
    content = sent(body)
    parts = by_node(str(NODE), body.content_type, content)
    assert nested([(part.name, part.value) for part in parts]) == parameters(body.content_type, content)


@pytest.mark.parametrize("encoding", ["json", "form"])
def test_files_are_refused_elsewhere_and_the_two_ways_out_named(encoding: str, photos: list[Path]) -> None:
    with pytest.raises(TuneError) as caught:
        encode(anb.Tune(**TRAIN, images=photos), encoding)
    (problem,) = caught.value.problems
    assert problem.field == "encoding"
    assert "'multipart'" in problem.hint
    assert "image_urls" in problem.hint


@pytest.mark.parametrize("encoding", ["xml", "JSON", "multipart/form-data"])
def test_an_unknown_encoding_is_refused(encoding: Any) -> None:
    with pytest.raises(TuneError, match=r"encoding: .* is not known; choose multipart, form or json"):
        encode(anb.Tune(**TRAIN, image_urls=[URL]), encoding)


def test_a_file_that_vanished_is_named_before_a_byte_is_sent(photos: list[Path]) -> None:
    tune = anb.Tune(**TRAIN, images=photos)
    photos[2].unlink()
    with pytest.raises(TuneError, match=r"images: '3\.jpg' no longer exists"):
        encode(tune)


def test_a_file_that_vanishes_later_is_sent_all_the_same(photos: list[Path]) -> None:
    with encode(anb.Tune(**TRAIN, images=photos)) as body:
        digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in photos]
        for path in photos:
            path.unlink()
        content = sent(body)
        assert [part.value for part in multipart(body.content_type, content)][2:] == digests


def test_a_file_that_was_cut_meanwhile_ends_the_upload(photos: list[Path]) -> None:
    with encode(anb.Tune(**TRAIN, images=photos)) as body:
        photos[3].write_bytes(photos[3].read_bytes()[:50])
        with pytest.raises(TuneError, match=r"images: '4\.jpg' could not be read to its end"):
            sent(body)
        assert 0 < body.sent < len(body)
        assert [digest is None for digest in body.image_sha256] == [False, False, False, True]


def test_a_file_that_grew_meanwhile_is_sent_as_long_as_was_promised(photos: list[Path]) -> None:
    with encode(anb.Tune(**TRAIN, images=photos[:1])) as body:
        before = photos[0].read_bytes()
        with photos[0].open("ab") as file:
            file.write(b"more")
        size = 0
        for block in body:  # as slowly as on a network, where it is hashed meanwhile
            size += len(block)
            time.sleep(0.001)
        assert size == len(body)
        assert body.image_sha256 == [hashlib.sha256(before).hexdigest()]


def test_on_a_network_a_file_is_hashed_as_it_is_sent(photos: list[Path]) -> None:
    with encode(anb.Tune(**TRAIN, images=photos)) as body:
        digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in photos]
        for _ in body:
            time.sleep(0.01)
        for path in photos:
            path.write_bytes(b"")
        assert body.image_sha256 == digests


def test_among_several_uploads_a_file_is_hashed_as_it_is_sent(photos: list[Path]) -> None:
    tune = anb.Tune(**TRAIN, images=photos)
    with encode(tune, preprocessing=UNCHANGED) as body, encode(tune, preprocessing=UNCHANGED) as meanwhile:
        digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in photos]
        for _ in zip(body, meanwhile, strict=True):
            pass
        for path in photos:
            path.write_bytes(b"")
        assert body.image_sha256 == digests


def test_a_file_that_could_not_be_hashed_has_none(photos: list[Path]) -> None:
    with encode(anb.Tune(**TRAIN, images=photos)) as body:
        pass
    assert body.image_sha256 == [None] * len(photos)


@pytest.mark.parametrize("size", [0, 1, 2**20 - 1, 2**20, 2**20 + 1, 3 * 10**6])
def test_length_and_hash_are_those_of_the_bytes_at_any_size_of_file(photos: list[Path], size: int) -> None:
    photo = photos[0].read_bytes()
    photos[0].write_bytes(photo[:-2] + b"\xff" * size + photo[-2:])  # fill bytes before the picture's end
    reports: list[tuple[int, int]] = []
    with encode(anb.Tune(**TRAIN, images=photos), on_sent=lambda *report: reports.append(report)) as body:
        content = sent(body)
        assert len(content) == len(body) == body.sent
        assert body.image_sha256 == [hashlib.sha256(path.read_bytes()).hexdigest() for path in photos]
        assert reports[-1] == (len(body), len(body))
        assert reports == sorted(reports)


def test_a_closed_body_lets_go_of_its_files(photos: list[Path]) -> None:
    open_before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else None
    if open_before is None:
        pytest.skip("open files are counted in /proc")
    with encode(anb.Tune(**TRAIN, images=photos)):
        assert len(list(Path("/proc/self/fd").iterdir())) > open_before
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before


def test_files_are_hashed_where_there_are_no_more_threads(
    photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    start, started = threading.Thread.start, list[threading.Thread]()

    def refuse_second(thread: threading.Thread) -> None:
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in photos]
    with encode(anb.Tune(**TRAIN, images=photos), preprocessing=UNCHANGED) as body:
        monkeypatch.setattr(threading.Thread, "start", refuse_second)
        assert body.image_sha256 == digests
    assert started
