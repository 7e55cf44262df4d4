"""Pictures as one zip file: what `download` writes, made while it is read."""

import io
import signal
import subprocess
import sys
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

import astria_nb as anb
from astria_nb.errors import AstriaError
from astria_nb.results.downloads import PictureArchive, PictureOriginal
from helpers.picture_host import (
    ROW,
    a_picture,
    asked,
    check,
    image,
    manifest,
    prompt,
    prompts,
    statuses,
    ten,
)
from helpers.scripted_server import KEY, ScriptedServer, reply

SIZE = 2**16


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def read(archive: PictureArchive | PictureOriginal, size: int = SIZE) -> bytes:
    blocks = [block for block in archive.blocks(size) if block]
    assert {len(block) for block in blocks[:-1]} <= {size}
    return b"".join(blocks)


def pictures_on_disk(folder: Path) -> int:
    return len([path for path in folder.rglob("*.part") if path.is_file()])


def test_the_zip_file_is_what_download_writes(
    server: ScriptedServer, client: anb.Client, tmp_path: Path, temporary: Path
) -> None:
    ten(server)
    anb.download(ROW, client, tmp_path / "downloaded")
    archive = PictureArchive(ROW, client)
    with zipfile.ZipFile(io.BytesIO(read(archive))) as opened:
        assert opened.testzip() is None
        opened.extractall(tmp_path / "unpacked")
    assert check(tmp_path / "unpacked") == check(tmp_path / "downloaded")
    assert (archive.saved, archive.total, archive.problems) == (10, 10, [])
    assert list(temporary.iterdir()) == []
    before = asked(server)
    assert statuses(anb.download(ROW, client, tmp_path / "unpacked")) == {"there": 10}
    assert asked(server) == before


@pytest.mark.parametrize("year", [1970, 2200])
def test_a_clock_that_zip_files_cannot_have_is_left_out(
    server: ScriptedServer, client: anb.Client, monkeypatch: pytest.MonkeyPatch, year: int
) -> None:
    ten(server)
    monkeypatch.setattr(client, "now", lambda: datetime(year, 1, 1, tzinfo=UTC))
    with zipfile.ZipFile(io.BytesIO(read(PictureArchive(ROW, client)))) as opened:
        assert {info.date_time for info in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_picture_that_fails_is_named_and_the_others_come(
    server: ScriptedServer, client: anb.Client, tmp_path: Path
) -> None:
    ten(server)
    server.on("GET", "/3", reply({}, 404))
    archive = PictureArchive(ROW, client)
    with zipfile.ZipFile(io.BytesIO(read(archive))) as opened:
        opened.extractall(tmp_path)
        assert len(opened.namelist()) == 10
    assert (archive.saved, archive.total) == (9, 10)
    assert archive.problems[0].startswith("3-1: ")
    (failure,) = [line for line in manifest(tmp_path) if "problem" in line]
    assert (failure["prompt_id"], failure["number"], failure["tune_id"]) == (3, 1, 7)
    assert "may have expired" in failure["problem"]
    server.on("GET", "/3", image(a_picture(3)))
    assert statuses(anb.download(ROW, client, tmp_path)) == {"there": 9, "saved": 1}
    check(tmp_path)


def test_no_picture_at_all_is_an_error(server: ScriptedServer, client: anb.Client) -> None:
    prompts(server, prompt(1, f"{server.url}/1"))
    server.on("GET", "/1", reply({}, 404))
    with pytest.raises(AstriaError, match=r"^images: 1-1: .*may have expired"):
        read(PictureArchive(ROW, client))
    prompts(server, prompt(1))
    with pytest.raises(AstriaError, match="there are no pictures yet"):
        PictureArchive(ROW, client)


def test_pictures_are_on_the_disk_for_as_long_as_they_are_needed(
    server: ScriptedServer, client: anb.Client, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("astria_nb.results.downloads._archive._THREADS", 1)
    count = 40
    for number in range(1, count + 1):
        server.on("GET", f"/{number}", image(a_picture(number, SIZE)))
    prompts(server, *(prompt(number, f"{server.url}/{number}") for number in range(1, count + 1)))
    archive = PictureArchive(ROW, client)
    blocks = archive.blocks(SIZE)
    most = 0
    while archive.saved < 5:
        next(blocks)
    assert len(asked(server)) < count
    while archive.saved < count - 5:
        next(blocks)
        most = max(most, pictures_on_disk(temporary))
    # What is fetched ahead is bounded, however slowly the reader takes it.
    assert 0 < most <= 20
    blocks.close()
    assert list(temporary.iterdir()) == []


def test_what_a_killed_kernel_left_is_removed_by_the_next(
    server: ScriptedServer, client: anb.Client, temporary: Path
) -> None:
    ten(server)
    code = (
        "import sys, tempfile, astria_nb as anb; from astria_nb.results.downloads import PictureArchive\n"
        "tempfile.tempdir, key, url = sys.argv[1:]\n"
        "row = anb.rows.tune_frame([{'id': 7, 'trained_at': '2026-01-01T12:00:00Z'}])\n"
        "blocks = PictureArchive(row, anb.Client(key, base_url=url)).blocks(1000)\n"
        "next(block for block in blocks if block); print('under way', flush=True); sys.stdin.read()"
    )
    arguments = [str(temporary), KEY, server.url]
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"under way\n"
        process.send_signal(signal.SIGKILL)
    assert pictures_on_disk(temporary) > 0
    read(PictureArchive(ROW, client))
    assert list(temporary.iterdir()) == []


def test_a_full_disk_is_reported_with_what_helps(
    server: ScriptedServer, client: anb.Client, temporary: Path
) -> None:
    resource = pytest.importorskip("resource", reason="this system cannot limit the size of files")
    ten(server)
    server.on("GET", "/10", image(a_picture(10, 400_000)))
    archive, before = PictureArchive(ROW, client), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        with pytest.raises(
            AstriaError, match=r"^folder: the kernel's disk .*too large.*; free some space there"
        ):
            read(archive)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(temporary.iterdir()) == []
    tempfile.tempdir = str(temporary / "missing")
    with pytest.raises(AstriaError, match=r"^folder: the kernel's disk .*\(No such file or directory\)"):
        read(PictureArchive(ROW, client))


def test_one_picture_has_the_name_that_download_gives_it(
    server: ScriptedServer, client: anb.Client, temporary: Path
) -> None:
    content = a_picture(1, 3 * SIZE)
    server.on("GET", "/prompts/1", reply(prompt(1, f"{server.url}/missing", f"{server.url}/1")))
    server.on("GET", "/1", image(content))
    original = PictureOriginal(1, 2, client)
    assert read(original) == content
    assert (original.name, original.saved, original.problems) == ("1-2.jpg", 1, [])
    assert list(temporary.iterdir()) == []
    with pytest.raises(AstriaError, match="no longer has this picture"):
        PictureOriginal(1, 3, client)
