"""What ``images`` takes besides paths, from the tune to the row, the log, a replay and the code."""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fsspec
import ipywidgets as widgets
import numpy as np
import pytest
from PIL import Image as Pillow

import astria_nb as anb
from astria_nb.errors import Problem, TuneError
from astria_nb.tune import Request, Tune, check, from_checked, opened

TRAIN: dict[str, Any] = {"pack": 43, "title": "t", "name": "cat"}


def photo(number: int = 0) -> bytes:
    out = io.BytesIO()
    Pillow.new("RGB", (64, 64 + number), "teal").save(out, "JPEG")
    return out.getvalue()


PHOTOS = [photo(number) for number in range(4)]


def upload(number: int) -> dict[str, Any]:
    """Return an item of `FileUpload.value` of ipywidgets 8."""
    content = memoryview(PHOTOS[number])
    return {"name": f"{number}.jpg", "type": "image/jpeg", "size": len(content), "content": content}


def deferred(images: Any) -> tuple[Tune, list[Problem]]:
    values, reported = check({**TRAIN, "images": images}, opens_images=False)
    return from_checked(values), reported


def problems(images: Any) -> list[Problem]:
    return check({**TRAIN, "images": images})[1]


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda: PHOTOS, None),
        (lambda: tuple(PHOTOS), None),
        (lambda: iter(PHOTOS), None),
        (lambda: (io.BytesIO(content) for content in PHOTOS), None),
        (lambda: np.array([np.frombuffer(content, "uint8") for content in PHOTOS], dtype=object), None),
        (lambda: tuple(map(upload, range(4))), "0.jpg 1.jpg 2.jpg 3.jpg"),
        (lambda: {f"{n}.jpg": {"content": PHOTOS[n]} for n in range(4)}, "0.jpg 1.jpg 2.jpg 3.jpg"),
        (lambda: {f"{n} (1).jpg": PHOTOS[n] for n in range(4)}, "0 (1).jpg 1 (1).jpg 2 (1).jpg 3 (1).jpg"),
        (lambda: [Pillow.open(io.BytesIO(content)) for content in PHOTOS], None),
    ],
)  # fmt: skip
def test_photos_in_any_form_are_sent_as_they_are(make: Callable[[], Any], names: str | None) -> None:
    tune = anb.Tune(**TRAIN, images=make())
    assert [image.path.read_bytes() for image in tune.images] == PHOTOS
    assert names is None or " ".join(image.filename for image in tune.images) == names
    later, reported = deferred(make())
    assert reported == []
    assert [image.path.read_bytes() for image in opened(later).images] == PHOTOS


@pytest.mark.parametrize(
    "image",
    [
        PHOTOS[0],
        io.BytesIO(PHOTOS[0]),
        upload(0),
        {"0.jpg": PHOTOS[0]},
        SimpleNamespace(name="0.jpg", contents=PHOTOS[0]),  # as of marimo
        np.zeros((9, 9, 3), "u1"),
        np.zeros((1, 9, 9, 3), "u1"),
        Pillow.new("L", (9, 9)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_one_image_needs_no_list(image: Any) -> None:
    assert len(anb.Tune(**TRAIN, images=image).images) == 1
    assert len(deferred(image)[0].images) == 1


def test_a_stack_of_pictures_is_that_many() -> None:
    assert len(anb.Tune(**TRAIN, images=np.zeros((3, 9, 8, 3), "u1")).images) == 3


def test_what_is_wrong_is_told_with_its_place_in_the_list() -> None:
    reported = problems([PHOTOS[0], b"GIF89a", np.zeros((9, 9)), upload(0) | {"content": b"x"}, None])
    assert [problem.what for problem in reported] == [
        "content in bytes (item 2) is a GIF image",
        "an array (item 3) is an array of float64",
        "'0.jpg' is not a JPEG, PNG or WebP image",
    ]


@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (lambda path: [os.fsencode(path)], "give text: os.fsdecode(path)"),
        (lambda path: [SimpleNamespace(__array__=lambda: 5)], "give its pixels: numpy.asarray(item)"),
        (lambda path: widgets.FileUpload(), "check the folder and the ending"),
    ],
)
def test_what_is_nearly_right_is_answered_with_what_is(
    tmp_path: Path, make: Callable[[Path], Any], hint: str
) -> None:
    path = tmp_path / "1.jpg"
    path.write_bytes(PHOTOS[0])
    (problem,) = problems(make(path))
    assert hint in problem.hint


def test_an_image_in_memory_is_shown_the_same_in_each_run() -> None:
    shown = repr(anb.Tune(**TRAIN, images={"a.jpg": PHOTOS[0]}))
    assert "images=(<Image 'a.jpg', 64 x 64, from memory>,)" in shown


def test_an_upload_of_nothing_is_nothing() -> None:
    for nothing in ((), {}, []):
        (problem,) = problems(nothing)
        assert problem.kind == "missing"


@pytest.fixture
def client() -> Iterator[anb.Client]:
    with anb.Sandbox(deterministic=True, min_images=1) as sandbox:
        yield sandbox.client()


def test_the_content_is_the_identity(client: anb.Client) -> None:
    """The same content in another form is the same request: under its title, and with ``once``."""
    row = anb.submit(anb.Tune(**TRAIN, images=PHOTOS), client)
    again = anb.submit(anb.Tune(**TRAIN, images=list(map(io.BytesIO, PHOTOS))), client)
    other = anb.submit(
        anb.Tune(**{**TRAIN, "title": "u"}, images=tuple(map(upload, range(4)))), client, once=True
    )
    assert row["id"].tolist() == again["id"].tolist() == other["id"].tolist()
    with pytest.raises(TuneError, match="other fields: images"):
        anb.submit(anb.Tune(**TRAIN, images=[*PHOTOS[:3], photo(9)]), client)


def test_a_fingerprint_is_that_of_the_content() -> None:
    def fingerprint(*images: Any) -> str:
        return Request.from_tune(
            anb.Tune(**TRAIN, images=list(images)), "https://api.astria.ai", "multipart"
        ).fingerprint

    assert fingerprint(PHOTOS[0]) == fingerprint(io.BytesIO(PHOTOS[0])) == fingerprint(bytearray(PHOTOS[0]))
    assert fingerprint(PHOTOS[0]) != fingerprint(PHOTOS[1])
    request = Request.from_tune(anb.Tune(**TRAIN, images=PHOTOS[0]), "https://api.astria.ai", "multipart")
    (record,) = request.images
    assert (record.path, record.mtime_ns, record.size) == ("", None, len(PHOTOS[0]))  # of no temporary file


def test_a_replay_of_photos_in_memory_asks_for_them(client: anb.Client) -> None:
    log = anb.ExperimentLog()
    anb.submit(anb.Tune(**TRAIN, images={"a.jpg": PHOTOS[0]}), client, log=log)
    with pytest.raises(
        TuneError, match=r"'a.jpg' was sent from memory, and the log keeps no photos; give images="
    ):
        log.replay(1, client)
    assert log.replay(1, client, images=PHOTOS[:1])["id"].notna().all()


def test_a_replay_reads_an_address_again(client: anb.Client) -> None:
    log, memory = anb.ExperimentLog(), fsspec.filesystem("memory")
    memory.pipe("/r/1.jpg", PHOTOS[0])
    row = anb.submit(anb.Tune(**TRAIN, images="memory://r/1.jpg"), client, log=log)
    assert log.replay(1, client)["id"].iloc[0] != row["id"].iloc[0]
    memory.pipe("/r/1.jpg", PHOTOS[1])
    with pytest.raises(TuneError, match=r"'1.jpg' has changed since it was sent"):
        log.replay(1, client)
    memory.rm("/r", recursive=True)


class Vault(fsspec.AbstractFileSystem):  # type: ignore[misc]
    """A file system whose addresses hold secrets."""

    protocol = "vault"

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        if "gone" in path:
            raise RuntimeError(f"no access to vault://me:hunter2secret@host/{path}?token=0123abc")
        return io.BytesIO(PHOTOS[0])


def test_the_secrets_of_an_address_are_not_recorded_or_shown() -> None:
    fsspec.register_implementation("vault", Vault, clobber=True)
    address = "vault://me:hunter2secret@host/1.jpg?X-Amz-Signature=0123abc"
    tune = anb.Tune(**TRAIN, images=[address])
    request = Request.from_tune(tune, "https://api.astria.ai", "multipart").recorded()
    (problem,) = problems(address.replace("1.jpg", "gone.jpg"))
    later, _ = deferred([address])
    for text in (
        repr(tune),
        repr(later),
        repr(request),
        str(problem),
        anb.as_curl(tune),
        anb.as_python(tune),
    ):
        assert "1.jpg" in text or "gone.jpg" in text
        assert "hunter2secret" not in text
        assert "0123abc" not in text


def test_folders_and_patterns_at_an_address_are_their_photos_in_natural_order() -> None:
    memory = fsspec.filesystem("memory")
    for name in ("IMG_10.JPG", "IMG_2.jpg", ".x.jpg", "notes.txt", "deep/3.jpg"):
        memory.pipe(f"/f/{name}", PHOTOS[0])
    memory.pipe("/f/empty.jpg", b"")
    for images in ("memory://f/", ["memory://f/IMG_*"], "memory://f/*"):
        tune = anb.Tune(**TRAIN, images=images)
        assert [image.filename for image in tune.images] == ["IMG_2.jpg", "IMG_10.JPG"]
    (problem,) = problems("memory://f/*.gif")
    assert "matches no image" in problem.what
    memory.rm("/f", recursive=True)


def test_code_says_which_files_to_save_first() -> None:
    tune = anb.Tune(**TRAIN, images={"a.jpg": PHOTOS[0]})
    note = "Save to this folder first, since this was in memory: a.jpg"
    assert anb.as_curl(tune).startswith(f"# {note}\ncurl -X POST")
    assert "-F 'tune[images][]=@a.jpg;type=image/jpeg'" in anb.as_curl(tune)
    assert anb.as_python(tune).startswith(f"# {note}\n")
    assert 'Path("a.jpg").read_bytes()' in anb.as_python(tune)
    assert f"// {note}\n" in anb.as_javascript(tune)


def test_a_form_takes_photos_in_memory_and_saves_none(client: anb.Client, tmp_path: Path) -> None:
    form = anb.TuneForm(client, pack=43, name="cat", title="t", images=PHOTOS)
    assert [image.path.read_bytes() for image in form.tune.images] == PHOTOS
    assert "images" not in form.to_dict()
    assert anb.submit(form)["title"].tolist() == ["t"]
    form.fill(images=np.zeros((64, 64, 3), "u1"))
    assert form.tune.images[0].media_type == "image/png"
    (tmp_path / "1.jpg").write_bytes(PHOTOS[1])
    form.fill(images=str(tmp_path))
    assert form.to_dict()["images"] == [str(tmp_path / "1.jpg")]


def test_a_deferred_tune_is_opened_whole_or_not_at_all(tmp_path: Path) -> None:
    for name in ("1.jpg", "2.jpg"):
        (tmp_path / name).write_bytes(PHOTOS[0])
    tune, reported = deferred([tmp_path / "1.jpg", str(tmp_path / "2.jpg")])
    assert reported == []
    assert [image.path.name for image in opened(tune).images] == ["1.jpg", "2.jpg"]
    assert opened(opened(tune)) is not tune
    (tmp_path / "1.jpg").write_bytes(b"GIF89a")
    (tmp_path / "2.jpg").unlink()
    with pytest.raises(TuneError, match=r"(?s)'1.jpg' is a GIF.*'2.jpg' does not exist"):
        opened(tune)
