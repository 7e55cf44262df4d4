"""Nothing is written outside of the folder or through a link, and processes do not overwrite each other."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import astria_nb as anb
from astria_nb.results.downloads._entry import Entry
from astria_nb.results.downloads._manifest import Manifest
from astria_nb.results.downloads._safe_folder import SafeFolder
from helpers.forked_kernels import python
from helpers.paths import TESTS
from helpers.picture_host import ROW, a_picture, asked, check, image, manifest, prompt, prompts, statuses, ten
from helpers.scripted_server import KEY, ScriptedServer
from helpers.waiting import PATIENCE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links of this kind need rights there")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "victim"
    path.write_text("mine")
    return path


@pytest.mark.parametrize("name", ["3-1.jpg", "manifest.jsonl"])
@pytest.mark.parametrize("kind", ["link", "dangling link"])
def test_a_planted_link_is_replaced_and_not_followed(
    server: ScriptedServer, client: anb.Client, out: Path, victim: Path, name: str, kind: str
) -> None:
    ten(server)
    (out / name).symlink_to(victim if kind == "link" else victim.with_name("nothing"))
    assert statuses(anb.download(ROW, client, out)) == {"saved": 10}
    assert victim.read_text() == "mine"
    assert not (out / name).is_symlink()
    assert sorted(path.name for path in out.parent.iterdir()) == ["out", "victim"]
    check(out)


@pytest.mark.parametrize("name", ["3-1.jpg", "manifest.jsonl"])
def test_a_planted_hard_link_is_not_written_through(
    server: ScriptedServer, client: anb.Client, out: Path, victim: Path, name: str
) -> None:
    ten(server)
    (out / name).hardlink_to(victim)
    assert statuses(anb.download(ROW, client, out)) == {"saved": 10}
    assert victim.read_text() == "mine"


def test_a_planted_link_for_the_lock_is_reported(
    server: ScriptedServer, client: anb.Client, out: Path, victim: Path
) -> None:
    ten(server)
    (out / ".manifest.lock").symlink_to(victim.with_name("nothing"))
    with pytest.raises(anb.errors.AstriaError, match=r"^folder: .* cannot be used"):
        anb.download(ROW, client, out)
    assert sorted(path.name for path in out.parent.iterdir()) == ["out", "victim"]


def test_a_planted_link_for_a_temporary_name_is_not_followed(
    server: ScriptedServer, client: anb.Client, out: Path, victim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ten(server)
    (out / f".astria-{'0' * 16}.part").symlink_to(victim)
    monkeypatch.setattr("astria_nb.results.downloads._safe_folder.secrets.token_hex", lambda _size: "0" * 16)
    with pytest.raises(anb.errors.AstriaError, match=r"^folder: .* \(File exists\)"):
        anb.download(ROW, client, out)
    assert victim.read_text() == "mine"


def test_a_folder_that_is_replaced_by_a_link_is_still_the_one_written(
    server: ScriptedServer, client: anb.Client, out: Path, tmp_path: Path
) -> None:
    pictures = ten(server)
    outside = tmp_path / "outside"
    outside.mkdir()

    def exchange(connection: Any) -> bool:
        out.rename(tmp_path / "moved")
        out.symlink_to(outside)
        return picture(connection)

    picture = server._scripts["GET", "/1"][0]
    server.on("GET", "/1", exchange)
    anb.download(ROW, client, out)
    assert list(outside.iterdir()) == []
    assert (tmp_path / "moved" / "1-1.jpg").read_bytes() == pictures[0]


def test_a_folder_may_be_reached_by_a_link(
    server: ScriptedServer, client: anb.Client, out: Path, tmp_path: Path
) -> None:
    ten(server)
    (tmp_path / "link").symlink_to(out)
    assert statuses(anb.download(ROW, client, tmp_path / "link")) == {"saved": 10}
    check(out)


def test_a_folder_in_place_of_a_picture_is_kept(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    pictures = ten(server)
    (out / "3-1.jpg").mkdir()
    frame = anb.download(ROW, client, out)
    assert statuses(frame) == {"saved": 10}
    assert frame["problem"].iloc[2] == "3-1.jpg is a different file, and was kept"
    assert (out / "3-1_2.jpg").read_bytes() == pictures[2]


def test_a_pipe_in_place_of_a_file_does_not_block(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    ten(server)
    for name in ("manifest.jsonl", "3-1.jpg", f".astria-{'0' * 16}.part"):
        os.mkfifo(out / name)
    assert statuses(anb.download(ROW, client, out)) == {"saved": 10}


LINES = [
    b"\xff\xfe", b"[]", b"{}", b"7", b"{" * 5000, b'{"prompt_id": 1}', b"\x00" * 100,
    json.dumps({"prompt_id": 1, "number": 1, "tune_id": 7, "text": "", "url": "", "file": "../victim",
                "bytes": 4, "sha256": "0" * 64}).encode(),
    json.dumps({"prompt_id": "1", "number": 1, "tune_id": 7, "text": "", "url": "", "file": "1-1.jpg",
                "bytes": 4, "sha256": "0" * 64}).encode(),
]  # fmt: skip


def test_invalid_lines_of_the_manifest_are_skipped(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    ten(server)
    anb.download(ROW, client, out)
    lines = (out / "manifest.jsonl").read_bytes().splitlines()
    (out / "manifest.jsonl").write_bytes(b"\n".join([*LINES, *lines[:5], lines[5][:50]]))
    assert statuses(anb.download(ROW, client, out)) == {"there": 5, "saved": 5}
    written = (out / "manifest.jsonl").read_bytes().splitlines()
    assert written == [*LINES, lines[5][:50], *lines]


def test_an_entry_that_points_outside_is_skipped(
    server: ScriptedServer, client: anb.Client, out: Path, victim: Path
) -> None:
    ten(server)
    anb.download(ROW, client, out)
    lines = manifest(out)
    content = victim.read_bytes()
    lines[0] |= {"file": "../victim", "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (out / "manifest.jsonl").write_text("\n".join(map(json.dumps, lines)))
    frame = anb.download(ROW, client, out)
    assert Path(frame["file"].iloc[0]).name == "1-1.jpg"
    assert statuses(frame) == {"there": 9, "saved": 1}
    assert victim.read_text() == "mine"


def test_temporary_files_of_killed_processes_are_swept_those_of_living_ones_are_not(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    ten(server)
    (out / f".astria-{'1' * 16}.part").write_bytes(b"left")
    (out / ".astria-mine.part").write_bytes(b"somebody's own")
    with SafeFolder(out) as neighbour:
        living = neighbour.create_temporary()
        anb.download(ROW, client, out)
        assert {path.name for path in out.glob(".astria-*")} == {living.name, ".astria-mine.part"}
    assert {path.name for path in out.glob(".astria-*")} == {".astria-mine.part"}


def test_a_late_thread_writes_nothing(out: Path) -> None:
    with SafeFolder(out) as folder:
        temporary = folder.create_temporary()
    with pytest.raises(OSError, match="closed"):
        folder.create_temporary()
    assert folder.open("manifest.jsonl") is None
    folder.discard(temporary)
    assert list(out.iterdir()) == []


DOWNLOAD = """
import sys, astria_nb as anb
from helpers.picture_host import ROW
print(anb.download(ROW, anb.Client(sys.argv[1], base_url=sys.argv[2]), sys.argv[3])["status"].tolist())
"""


def test_two_processes_fill_one_folder(server: ScriptedServer, out: Path) -> None:
    urls = [f"{server.url}/{number}" for number in range(1, 61)]
    meet = threading.Barrier(2, timeout=PATIENCE)
    for number in range(1, 61):
        server.on("GET", f"/{number}", _slightly_different(number))
    prompts(server, *(prompt(number, url) for number, url in enumerate(urls, 1)))
    first = server._scripts["GET", "/1"][0]

    def together(exchange: Any) -> bool:
        meet.wait()  # both have checked the folder by then
        return first(exchange)

    server.on("GET", "/1", together)
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    command = [*python(), "-c", DOWNLOAD, KEY, server.url, out]
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=PATIENCE)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert [sum(output.count(status) for output in outputs) for status in ("'saved'", "'there'")] == [60, 60]
    assert len(check(out)) == 60
    assert len(asked(server)) > 60


def _slightly_different(number: int) -> Any:
    """Answer with another picture each time, as a service that draws on demand may."""
    calls = iter(range(1000))

    def answer(exchange: Any) -> bool:
        return image(a_picture(1000 * number + next(calls)))(exchange)

    return answer


def test_a_manifest_reads_what_another_process_wrote(out: Path) -> None:
    with SafeFolder(out) as first, SafeFolder(out) as second:
        mine, theirs = Manifest(first), Manifest(second)
        for number, writer in enumerate([mine, theirs, mine, theirs], 1):
            writer.read()
            writer.write(add=[Entry(number, 1, None, "", "", f"{number}-1.jpg", 1, "0" * 64)])
        mine.read()
        assert [mine.find(number, 1, "") is not None for number in range(1, 6)] == [True] * 4 + [False]
    assert [entry["prompt_id"] for entry in manifest(out)] == [1, 2, 3, 4]
