"""Every mistake gets one clear message with field, cause and next step, and nothing is sent."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import astria_nb as anb
from astria_nb.errors import AstriaError, NotFoundError, NotSentError, TuneError, UnauthorizedError
from helpers.form_widgets import button
from helpers.large_photos import enlarge
from helpers.waiting import PATIENCE

URL = "https://example.com/1.jpg"
MEGABYTE = 2**20


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(deterministic=True) as running:
        yield running


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (600, 600), "teal").save(path)
    return path


def large(photo: Path, megabytes: int) -> Path:
    return enlarge(photo, megabytes * MEGABYTE)


def wrong_key(sandbox: anb.Sandbox, photo: Path) -> Any:
    client = anb.Client("sd_sandbox_of_somebody_else", base_url=sandbox.url)
    return anb.submit(anb.Tune(pack=260, title="t", name="man", images=[photo]), client)


def unknown_pack(sandbox: anb.Sandbox, photo: Path) -> Any:
    return anb.submit(anb.Tune(pack=999, title="t", name="man", images=[photo]), sandbox.client())


def class_that_the_pack_lacks(sandbox: anb.Sandbox, photo: Path) -> Any:
    return anb.submit(anb.Tune(pack=260, title="t", name="cat", images=[photo]), sandbox.client())


def missing_title(sandbox: anb.Sandbox, photo: Path) -> Any:
    return anb.Tune(pack=260, name="man", images=[photo])


def no_image(sandbox: anb.Sandbox, photo: Path) -> Any:
    return anb.Tune(pack=260, title="t", name="man")


def no_image_file(sandbox: anb.Sandbox, photo: Path) -> Any:
    photo.write_text("not a picture")
    return anb.Tune(pack=260, title="t", name="man", images=[photo])


def vanished_file(sandbox: anb.Sandbox, photo: Path) -> Any:
    tune = anb.Tune(pack=260, title="t", name="man", images=[photo])
    photo.unlink()
    return anb.submit(tune, sandbox.client())


def bad_url(sandbox: anb.Sandbox, photo: Path) -> Any:
    return anb.Tune(pack=260, title="t", name="man", image_urls=["example.com/1.jpg"])


def json_with_files(sandbox: anb.Sandbox, photo: Path) -> Any:
    tune = anb.Tune(pack=260, title="t", name="man", images=[photo])
    return anb.submit(tune, sandbox.client(), encoding="json")


@pytest.mark.parametrize(
    ("mistake", "kind", "message"),
    [
        (wrong_key, UnauthorizedError, "api_key: sd_…else was refused (HTTP Token: Access denied.); each *"),
        (unknown_pack, NotFoundError, "pack: 999 is not known to http://*; choose one of client.packs()*"),
        (class_that_the_pack_lacks, TuneError, "name: 'cat' is not a class of pack 260; choose one of man*"),
        (missing_title, TuneError, "title: is missing; give a fresh one, such as str(uuid.uuid4())"),
        (no_image, TuneError, "images: are missing; give files as images or addresses as image_urls"),
        (no_image_file, TuneError, "images: 'photo.jpg' is not a JPEG, PNG or WebP image; convert it*"),
        (vanished_file, TuneError, "images: 'photo.jpg' no longer exists; put it back, or remove it"),
        (bad_url, TuneError, "image_urls: 'example.com/1.jpg' is not a web address; begin it with https://"),
        (json_with_files, TuneError, "encoding: 'json' cannot carry image files; choose 'multipart'*"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_and_nothing_is_sent(
    sandbox: anb.Sandbox,
    photo: Path,
    mistake: Callable[[anb.Sandbox, Path], Any],
    kind: type[AstriaError],
    message: str,
):
    with pytest.raises(kind) as caught:
        mistake(sandbox, photo)
    assert matches(str(caught.value), message)
    assert sandbox.received() == []


def test_a_sandbox_that_stops_in_mid_upload_has_made_nothing(sandbox: anb.Sandbox, photo: Path):
    tune = anb.Tune(pack=260, title="t", name="man", images=[large(photo, 64)])
    with pytest.raises(NotSentError) as caught:
        anb.submit(tune, sandbox.client(), on_sent=lambda sent, total: sandbox.stop())
    assert matches(
        str(caught.value),
        "base_url: the connection broke after * of 67 MB (*); nothing was created; submit again",
    )
    assert sandbox.received() == []


@pytest.mark.slow
def test_a_form_keeps_everything_when_the_sandbox_stops_in_mid_upload(sandbox: anb.Sandbox, photo: Path):
    form = anb.TuneForm(sandbox.client(), pack=260, name="man", images=[large(photo, 64)])
    before, failed = repr(form), threading.Event()
    bar = form._panel.upload._bar
    bar.observe(lambda change: sandbox.stop() if 0 < change["new"] < 1 else None, "value")
    form.observe(lambda change: failed.set() if change["new"] == "failed" else None, "status")
    button(form, "Submit").click()
    assert failed.wait(PATIENCE)
    assert "the connection broke after" in form._panel.upload._message.value
    assert repr(form) == before.replace("ready", "failed")
    assert not button(form, "Submit").disabled


def matches(text: str, pattern: str) -> bool:
    """Return whether a text matches a pattern in which only ``*`` is special and stands for anything."""
    parts = pattern.split("*")
    end = 0
    for part in parts:
        start = text.find(part, end)
        if start < 0 or (end == 0 and part is parts[0] and start > 0):
            return False
        end = start + len(part)
    return pattern.endswith("*") or end == len(text)
