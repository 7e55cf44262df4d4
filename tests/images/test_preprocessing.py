"""Preprocessing of images before upload, the record of what was uploaded, and its replay."""

import hashlib
import io
import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow
from PIL import ImageOps

import astria_nb as anb
import helpers.photos_with_metadata as samples
from astria_nb.errors import TuneError
from astria_nb.images import UNCHANGED, Preprocessing, open_all, upload_size
from astria_nb.images.metadata import reduced_profile
from astria_nb.log import Log
from astria_nb.tune import Request, encode
from helpers.avif import needs_avif
from helpers.body_parsers import Part, multipart
from helpers.disks import WITHOUT_LOCKS
from helpers.forked_kernels import python
from helpers.photos_with_metadata import GPS, ORIENTATION, PARTS, PLACE, PROFILE
from helpers.scripted_server import PACK, TUNE, ScriptedServer, reply, silence

SMALLER = Preprocessing(max_side=800)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a photo that has location metadata, one without, and a large one."""
    (tmp_path / "tagged.jpg").write_bytes(samples.jpeg())
    samples.picture().save(tmp_path / "plain.jpg")
    image = samples.picture((1600, 1200))
    image.save(tmp_path / "large.jpg", exif=samples.exif(6), icc_profile=PROFILE, comment=PLACE, quality=97)
    return tmp_path


def a_tune(*paths: Path, title: str = "t") -> anb.Tune:
    return anb.Tune(pack=43, title=title, name="cat", images=paths)


def content(tune: anb.Tune, preprocessing: Preprocessing = UNCHANGED) -> list[bytes]:
    """Return what is sent of each image."""
    contents = []
    for image in open_all(tune.images, preprocessing):
        contents.append(b"".join(bytes(block) for block in image.blocks(memoryview(bytearray(1000)))))
        image.close()
    return contents


def arrived(server: ScriptedServer) -> list[Part]:
    """Return the files of the last tune that was sent."""
    post = [request for request in server.requests if request.method == "POST"][-1]
    parts = multipart(post.headers["Content-Type"], post.body)
    return [part for part in parts if part.filename is not None]


def sent_bytes(server: ScriptedServer) -> bytes:
    return [request for request in server.requests if request.method == "POST"][-1].body


# Metadata


def test_by_default_the_location_is_removed_and_the_hash_is_that_of_the_upload(
    server: ScriptedServer, client: anb.Client, folder: Path
) -> None:
    row = anb.submit(a_tune(folder / "tagged.jpg"), client)
    (part,) = arrived(server)
    assert not any(part in sent_bytes(server) for part in PARTS)
    assert list(row.loc[0, "image_sha256"]) == [part.value]
    assert part.value != hashlib.sha256((folder / "tagged.jpg").read_bytes()).hexdigest()
    assert list(anb.ExperimentLog().frame().loc[0, "image_sha256"]) == [part.value]


def test_keep_metadata_sends_the_file_unchanged(
    server: ScriptedServer, client: anb.Client, folder: Path
) -> None:
    anb.submit(a_tune(folder / "tagged.jpg"), client, keep_metadata=True)
    (part,) = arrived(server)
    assert part.value == hashlib.sha256((folder / "tagged.jpg").read_bytes()).hexdigest()


@pytest.mark.parametrize("block", [1, 7, 100, 2**20])
def test_the_upload_is_the_same_in_blocks_of_any_size(folder: Path, block: int) -> None:
    (image,) = open_all(a_tune(folder / "tagged.jpg").images, Preprocessing())
    with closing(image):
        sent = b"".join(bytes(piece) for piece in image.blocks(memoryview(bytearray(block))))
        assert len(sent) == image.size
        assert image.sha256() == hashlib.sha256(sent).hexdigest()
    assert [sent] == content(a_tune(folder / "tagged.jpg"), Preprocessing())


def test_a_file_that_is_damaged_is_refused_by_name_and_nothing_is_sent(
    server: ScriptedServer, client: anb.Client, folder: Path
) -> None:
    photo = samples.jpeg()
    (folder / "tagged.jpg").write_bytes(samples.with_segments(photo, samples.segment(0xF7, PLACE)))
    (folder / "cut.png").write_bytes(samples.png()[:-200])
    with pytest.raises(TuneError) as caught:
        anb.submit(a_tune(folder / "tagged.jpg", folder / "plain.jpg", folder / "cut.png"), client)
    assert [problem.field for problem in caught.value.problems] == ["images", "images"]
    first, second = map(str, caught.value.problems)
    assert first.startswith("images: 'tagged.jpg' is damaged")
    assert second.startswith("images: 'cut.png' is incomplete")
    assert "keep_metadata=True" in first
    assert not [request for request in server.requests if request.method == "POST"]
    assert len(anb.ExperimentLog().frame()) == 0
    tune = a_tune(folder / "tagged.jpg", folder / "plain.jpg", folder / "cut.png")
    with pytest.raises(TuneError, match=r"'cut.png' is .*keep_damaged=True") as caught:
        anb.submit(tune, client, keep_metadata=True)
    assert len(caught.value.problems) == 2
    assert not [request for request in server.requests if request.method == "POST"]
    anb.submit(tune, client, keep_metadata=True, keep_damaged=True)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are counted in /proc")
def test_a_refused_image_leaves_no_file_open(folder: Path) -> None:
    (folder / "tagged.jpg").write_bytes(samples.with_segments(samples.jpeg(), samples.segment(0xF7, PLACE)))
    tune = a_tune(folder / "plain.jpg", folder / "tagged.jpg", folder / "plain.jpg")
    before = sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208  its entries vanish meanwhile
    with pytest.raises(TuneError):
        encode(tune)
    assert sorted(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


# Made smaller


@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
def test_a_large_image_is_resized_upright_and_without_metadata(folder: Path, orientation: int) -> None:
    path = folder / "large.jpg"
    Pillow.open(path).save(
        path, exif=samples.exif(orientation), icc_profile=PROFILE, comment=PLACE, quality=97
    )
    (sent,) = content(a_tune(path), SMALLER)
    small, large = Pillow.open(io.BytesIO(sent)), ImageOps.exif_transpose(Pillow.open(path))
    assert max(small.size) == 800
    assert small.size == (large.width // 2, large.height // 2)
    assert small.info["icc_profile"] == reduced_profile(PROFILE)
    assert not any(part in sent for part in PARTS)
    assert small.getexif().get(ORIENTATION, 1) == 1
    corners = [
        (10, 10),
        (small.width - 10, 10),
        (10, small.height - 10),
        (small.width - 10, small.height - 10),
    ]
    for x, y in corners:
        there = large.getpixel((x * large.width // small.width, y * large.height // small.height))
        assert small.getpixel((x, y)) == pytest.approx(there, abs=12)


def test_a_small_image_is_not_resized(folder: Path) -> None:
    tune = a_tune(folder / "tagged.jpg", folder / "plain.jpg")
    assert content(tune, SMALLER) == content(tune, Preprocessing())
    assert content(tune, Preprocessing(keep_metadata=True, max_side=800)) == content(tune, UNCHANGED)


@pytest.mark.parametrize(
    ("kind", "mode", "media_type"),
    [
        ("PNG", "RGB", "image/jpeg"),
        ("PNG", "L", "image/jpeg"),
        ("PNG", "P", "image/jpeg"),
        ("PNG", "I;16", "image/jpeg"),
        ("PNG", "RGBA", "image/png"),
        ("WEBP", "RGB", "image/jpeg"),
        ("JPEG", "CMYK", "image/jpeg"),
    ],
)
def test_resized_images_are_jpeg_or_png_if_transparent(
    tmp_path: Path, kind: str, mode: str, media_type: str
) -> None:
    picture = samples.picture((900, 700), "L" if mode == "I;16" else mode).convert(mode)
    if mode == "RGBA":
        picture.putalpha(Pillow.linear_gradient("L").resize(picture.size))
    picture.save(tmp_path / "a.dat", kind)
    (image,) = open_all(a_tune(tmp_path / "a.dat").images, Preprocessing(max_side=600))
    image.close()
    assert (image.media_type, image.filename) == (media_type, "a.jpg" if "jpeg" in media_type else "a.png")
    (sent,) = content(a_tune(tmp_path / "a.dat"), Preprocessing(max_side=600))
    small = Pillow.open(io.BytesIO(sent))
    assert small.size == (600, 467)
    assert f"image/{(small.format or '').lower()}" == media_type


def test_the_upload_size_is_reported_and_images_are_resized_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = a_tune(folder / "large.jpg", folder / "plain.jpg").images
    size = upload_size(images, SMALLER)
    on_disk = sum(image.size for image in images)
    assert size.on_disk == on_disk > size.uploaded
    assert str(size) == f"{on_disk / 1e3:.0f} kB → {size.uploaded / 1e3:.0f} kB"
    resized: list[object] = []
    monkeypatch.setattr("astria_nb.images._resizing._resize", lambda *args: resized.append(args))
    assert (
        sum(map(len, content(a_tune(folder / "large.jpg", folder / "plain.jpg"), SMALLER))) == size.uploaded
    )
    assert resized == []


def test_a_changed_file_is_resized_again(folder: Path) -> None:
    (before,) = content(a_tune(folder / "large.jpg"), SMALLER)
    samples.picture((1500, 1500)).save(folder / "large.jpg")
    (after,) = content(a_tune(folder / "large.jpg"), SMALLER)
    assert Pillow.open(io.BytesIO(before)).size != Pillow.open(io.BytesIO(after)).size


def test_resized_copies_are_removed_when_the_process_ends(folder: Path) -> None:
    code = (
        "import os, sys, tempfile; from pathlib import Path; import astria_nb as anb\n"
        "from astria_nb.images._upload_sizes import upload_size\n"
        "from astria_nb.images._preprocessing import Preprocessing\n"
        "tune = anb.Tune(pack=43, title='t', name='cat', images=sys.argv[1:])\n"
        "upload_size(tune.images, Preprocessing(max_side=600))\n"
        "found = list(Path(tempfile.gettempdir()).glob('astria-nb-*/files/*'))\n"
        "print(len(found), oct(found[0].parent.parent.stat().st_mode & 0o777))\n"
        "if os.fork() == 0: sys.exit()\n"
        "os.wait(); print(len(list(Path(tempfile.gettempdir()).glob('astria-nb-*/files/*'))))"
    )
    temporary = folder / "tmp"
    temporary.mkdir()
    run = [sys.executable, "-W", "ignore", "-c", code, folder / "large.jpg"]
    done = subprocess.run(run, env={**os.environ, "TMPDIR": str(temporary)}, capture_output=True, text=True)
    assert done.stdout.split() == ["1", "0o700", "1"], done.stderr
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("disk", ["", WITHOUT_LOCKS], ids=["a disk with locks", "one without"])
def test_resized_copies_of_a_killed_process_are_removed_by_the_next(folder: Path, disk: str) -> None:
    code = disk + (
        "import sys, tempfile, warnings; from pathlib import Path; import astria_nb as anb\n"
        "from astria_nb.errors import AstriaError\n"
        "warnings.simplefilter('ignore')\n"
        "client = anb.Client('sd_1234567', base_url=sys.argv[1])\n"
        "tune = anb.Tune(pack=43, title=sys.argv[2], name='cat', images=[sys.argv[3]])\n"
        "anb.submit(tune, client, max_side=600)"
    )
    temporary = folder / "tmp"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with ScriptedServer().running() as server:
        server.on("GET", "/p/43", reply(PACK))
        server.on("GET", "/tunes", reply([]))
        server.on("POST", "/p/43/tunes", silence)

        def run(program: list[str], title: str) -> subprocess.Popen[bytes]:
            command = [*program, "-c", code, server.url, title, folder / "large.jpg"]
            return subprocess.Popen(command, env=environment)

        killed = run([sys.executable], "first")
        while not any(request.method == "POST" for request in server.requests):
            assert killed.poll() is None
            time.sleep(0.01)
        killed.kill()
        killed.wait()
        (copy,) = temporary.glob("astria-nb-*/files/*")
        server.on("POST", "/p/43/tunes", reply(TUNE, 201))
        assert run(python(), "second").wait() == 0
    assert not copy.exists()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("side", [0, 511, -1, 10**6, 2048.0, "2048", True])
def test_an_invalid_max_side_is_refused_before_anything_is_sent(
    server: ScriptedServer, client: anb.Client, folder: Path, side: Any
) -> None:
    with pytest.raises(TuneError, match=r"max_side: .*give one such as 2048"):
        anb.submit(a_tune(folder / "tagged.jpg"), client, max_side=side)
    assert server.requests == []


def test_an_undecodable_image_cannot_be_resized(folder: Path) -> None:
    photo = (folder / "large.jpg").read_bytes()
    (folder / "large.jpg").write_bytes(photo[: len(photo) // 2])
    with pytest.raises(TuneError, match=r"images: 'large\.jpg' is incomplete.*keep_damaged=True"):
        encode(a_tune(folder / "large.jpg"), preprocessing=SMALLER)
    keeping = Preprocessing(max_side=SMALLER.max_side, keep_damaged=True)
    with pytest.raises(TuneError, match=r"images: 'large\.jpg' .*cannot be made smaller; .*max_side"):
        encode(a_tune(folder / "large.jpg"), preprocessing=keeping)


def test_heic_names_the_options_to_send_it(tmp_path: Path) -> None:
    path = tmp_path / "IMG_1.HEIC"
    path.write_bytes(samples.heic())
    tune = a_tune(path)
    with pytest.raises(
        TuneError, match=r"images: 'IMG_1\.HEIC' is HEIC, .*max_side=2048.*keep_metadata=True"
    ):
        encode(tune)
    assert content(tune, UNCHANGED) == [path.read_bytes()]
    (image,) = open_all(tune.images, SMALLER)
    image.close()
    assert (image.filename, image.media_type) == ("IMG_1.jpg", "image/jpeg")
    (sent,) = content(tune, SMALLER)
    assert Pillow.open(io.BytesIO(sent)).size == (640, 480)
    assert not Pillow.open(io.BytesIO(sent)).getexif().get_ifd(GPS)


@needs_avif
def test_avif_is_sent_as_heic_is(tmp_path: Path) -> None:
    path = tmp_path / "IMG_1.avif"
    samples.picture((640, 480)).save(path, exif=samples.exif(6))
    tune = a_tune(path)
    with pytest.raises(TuneError, match=r"'IMG_1\.avif' is AVIF, .*max_side=2048.*keep_metadata=True"):
        encode(tune)
    assert content(tune, UNCHANGED) == [path.read_bytes()]
    (sent,) = content(tune, SMALLER)
    assert (Pillow.open(io.BytesIO(sent)).format, Pillow.open(io.BytesIO(sent)).size) == ("JPEG", (480, 640))
    assert not any(part in sent for part in samples.PARTS)


@needs_avif
def test_the_colours_that_an_avif_tells_by_numbers_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.avif"
    samples.picture((640, 480)).save(path)
    content_of_file = path.read_bytes()
    start = content_of_file.index(b"colrnclx") + 8
    wide = content_of_file[:start] + b"\0\x0c" + content_of_file[start + 2 :]  # Display P3
    (plain,) = content(a_tune(path), SMALLER)
    path.write_bytes(wide)
    (sent,) = content(a_tune(path), SMALLER)
    assert "icc_profile" not in Pillow.open(io.BytesIO(plain)).info
    assert "icc_profile" in Pillow.open(io.BytesIO(sent)).info


# On record


def requests_on_disk() -> list[dict[str, Any]]:
    with closing(sqlite3.connect(os.environ["ASTRIA_NB_LOG"])) as database, database:
        query = "SELECT json FROM submission JOIN body ON request = sha256 ORDER BY submission.id"
        return [json.loads(row[0]) for row in database.execute(query)]


def test_the_preprocessing_is_recorded_unless_files_are_unchanged(
    server: ScriptedServer, client: anb.Client, folder: Path
) -> None:
    anb.submit(a_tune(folder / "tagged.jpg", title="a"), client, max_side=800)
    anb.submit(a_tune(folder / "tagged.jpg", title="b"), client, keep_metadata=True)
    anb.submit(anb.Tune(pack=43, title="c", name="cat", image_urls=["https://e.com/1.jpg"]), client)
    preprocessed, unchanged, by_url = requests_on_disk()
    assert preprocessed["treatment"] == {"keep_metadata": False, "max_side": 800}
    usual_keys = {"service", "pack", "title", "encoding", "parameters", "images", "redacted"}
    assert unchanged.keys() == by_url.keys() == usual_keys
    assert preprocessed["images"][0]["size"] == len(content(a_tune(folder / "tagged.jpg"), SMALLER)[0])


def fingerprint(tune: anb.Tune, preprocessing: Preprocessing) -> str:
    images = open_all(tune.images, preprocessing)
    for image in images:
        image.close()
    request = Request.from_tune(
        tune, "https://e.com", "multipart", sent_images=images, preprocessing=preprocessing
    )
    return request.fingerprint


def test_the_fingerprint_depends_on_what_preprocessing_changes(folder: Path) -> None:
    every = [UNCHANGED, Preprocessing(), SMALLER, Preprocessing(max_side=600)]
    plain, tagged, large = (a_tune(folder / f"{name}.jpg") for name in ("plain", "tagged", "large"))
    assert len({fingerprint(plain, preprocessing) for preprocessing in every}) == 1
    request = Request.from_tune(plain, "https://e.com", "multipart")
    assert fingerprint(plain, Preprocessing()) == request.fingerprint
    unchanged = fingerprint(tagged, UNCHANGED)
    assert [fingerprint(tagged, preprocessing) == unchanged for preprocessing in every] == [
        True, False, False, False,
    ]  # fmt: skip
    assert len({fingerprint(large, preprocessing) for preprocessing in every}) == 4


def test_other_preprocessing_under_the_same_title_is_another_request_if_it_changes_an_image(
    server: ScriptedServer, client: anb.Client, folder: Path
) -> None:
    anb.submit(a_tune(folder / "plain.jpg", title="p"), client, settle=0)
    again = anb.submit(a_tune(folder / "plain.jpg", title="p"), client, keep_metadata=True, settle=0)
    assert list(again["id"]) == [TUNE["id"]]
    anb.submit(a_tune(folder / "tagged.jpg"), client, settle=0)
    with pytest.raises(TuneError, match="submitted before with other fields: images"):
        anb.submit(a_tune(folder / "tagged.jpg"), client, keep_metadata=True, settle=0)
    assert sum(request.method == "POST" for request in server.requests) == 2


@pytest.mark.parametrize(
    "options", [{}, {"keep_metadata": True}, {"max_side": 800}, {"keep_metadata": True, "max_side": 800}]
)
def test_a_replay_preprocesses_images_as_recorded(
    server: ScriptedServer, client: anb.Client, folder: Path, options: dict[str, Any]
) -> None:
    log = anb.ExperimentLog()
    anb.submit(a_tune(folder / "tagged.jpg", folder / "large.jpg"), client, log=log, **options)
    first = arrived(server)
    log.replay(log.frame().loc[0, "submission"], client)
    assert arrived(server) == first
    (folder / "tagged.jpg").write_bytes(samples.jpeg(orientation=3, quality=60))
    with pytest.raises(TuneError, match=r"images: 'tagged\.jpg' has changed since it was sent"):
        log.replay(log.frame().loc[0, "submission"], client)


def test_a_replay_compares_only_what_was_sent(
    server: ScriptedServer, client: anb.Client, folder: Path
) -> None:
    log = anb.ExperimentLog()
    anb.submit(a_tune(folder / "tagged.jpg"), client, log=log)
    first = arrived(server)
    (folder / "tagged.jpg").write_bytes(samples.jpeg(comment=b"another word", xmp=b""))
    log.replay(log.frame().loc[0, "submission"], client)
    assert arrived(server) == first


def test_a_replay_of_a_record_without_preprocessing_sends_files_unchanged(
    server: ScriptedServer, client: anb.Client, folder: Path
) -> None:
    tune = a_tune(folder / "tagged.jpg")
    digest = hashlib.sha256((folder / "tagged.jpg").read_bytes()).hexdigest()
    log = Log()
    submission = log.plan(Request.from_tune(tune, client.service, "multipart"))
    submission = log.change(submission, "sending", attempt=1)
    log.change(submission, "done", tune_id=7, reply=TUNE, image_sha256=[digest])
    log.close()
    assert "treatment" not in requests_on_disk()[0]
    anb.ExperimentLog().replay(submission.id, client)
    assert [part.value for part in arrived(server)] == [digest]


def test_new_images_of_a_replay_are_sent_without_metadata(
    server: ScriptedServer, client: anb.Client, folder: Path
) -> None:
    log = anb.ExperimentLog()
    anb.submit(a_tune(folder / "plain.jpg"), client, log=log, keep_metadata=True)
    log.replay(log.frame().loc[0, "submission"], client, images=[folder / "tagged.jpg"])
    assert not any(part in sent_bytes(server) for part in PARTS)


def test_an_attempt_after_a_429_sends_the_same_bytes(
    server: ScriptedServer, client: anb.Client, folder: Path
) -> None:
    busy = reply({"error": "slow down"}, 429, Retry_After="0")
    server.on("POST", "/p/43/tunes", busy, reply(TUNE, 201))
    anb.submit(a_tune(folder / "tagged.jpg"), client)
    first, second = (request for request in server.requests if request.method == "POST")
    parts = [multipart(request.headers["Content-Type"], request.body) for request in (first, second)]
    assert parts[0] == parts[1]
    assert PLACE not in second.body
