"""Photos from the reader's computer, by the messages that a browser sends."""

import hashlib
import os
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from astria_nb.form.images._drop_zone import DropZone
from astria_nb.form.images._incoming_file import CHUNK, MAX_BYTES, MAX_FILES, check_type
from astria_nb.form.images._upload_spool import safe_name
from astria_nb.utils import temporary_folder
from helpers.avif import needs_avif
from helpers.waiting import PATIENCE

JPEG = b"\xff\xd8\xff\xe0"


class Browser:
    """A page: the messages that it sends to a drop zone, and the replies."""

    def __init__(self, page: str = "page") -> None:
        self.arrived: list[Path] = []
        self.replies: list[Any] = []
        self.page = page
        self.zone = DropZone(self.arrived.append)
        self.zone.send = lambda message, buffers=None: self.replies.append(message)

    def say(self, kind: str, file_id: str = "a", *buffers: bytes, **fields: Any) -> Any:
        """Send a message and return the reply, if there is one."""
        self.replies.clear()
        self.zone._handle_custom_msg({"kind": kind, "id": file_id, **fields}, list(map(memoryview, buffers)))
        return self.replies[0] if self.replies else None

    def offer(self, size: int, name: str = "1.jpg", file_id: str = "a") -> Any:
        return self.say("offer", files=[{"id": file_id, "name": name, "size": size}], page=self.page)

    def give(self, content: bytes, name: str = "1.jpg", file_id: str = "a") -> None:
        self.offer(len(content), name, file_id)
        for offset in range(0, len(content), CHUNK):
            self.say("chunk", file_id, content[offset : offset + CHUNK], offset=offset)

    @property
    def lines(self) -> list[tuple[str, str, str]]:
        return [(row["name"], row["state"], row["problem"]) for row in self.zone.transfers]


@pytest.fixture(autouse=True)
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    disk = tmp_path / "disk"
    disk.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    return disk


@pytest.fixture
def browser() -> Iterator[Browser]:
    running = Browser()
    yield running
    running.zone.close()


def files(disk: Path) -> list[Path]:
    return [path for path in disk.rglob("*") if path.is_file() and path.name != ".lock"]


def photo(size: int) -> bytes:
    return JPEG + os.urandom(size - len(JPEG))


def test_a_photo_of_40_mb_arrives_whole(browser):
    content = photo(40_000_000)
    browser.give(content)
    (path,) = browser.arrived
    assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(content).digest()
    assert path.name == "1.jpg"
    assert browser.lines == []


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX's")
def test_other_users_cannot_read_a_received_photo(browser, disk):
    browser.give(photo(100))
    assert stat.S_IMODE(browser.arrived[0].stat().st_mode) == 0o600
    assert [stat.S_IMODE(path.stat().st_mode) for path in disk.iterdir()] == [0o700]


def test_every_piece_is_acknowledged(browser):
    content = photo(2 * CHUNK + 5)
    assert browser.offer(len(content)) == {"kind": "have", "id": "a", "offset": 0}
    for offset, then in ((0, CHUNK), (CHUNK, 2 * CHUNK), (2 * CHUNK, 2 * CHUNK + 5)):
        answer = browser.say("chunk", "a", content[offset:then], offset=offset)
        assert answer == {"kind": "have", "id": "a", "offset": then}


def test_a_piece_that_comes_too_early_is_asked_for_again(browser):
    content = photo(3 * CHUNK)
    browser.offer(len(content))
    browser.say("chunk", "a", content[:CHUNK], offset=0)
    early = browser.say("chunk", "a", content[2 * CHUNK :], offset=2 * CHUNK)
    assert early == {"kind": "again", "id": "a", "offset": CHUNK}
    browser.say("chunk", "a", content[CHUNK : 2 * CHUNK], offset=CHUNK)
    browser.say("chunk", "a", content[2 * CHUNK :], offset=2 * CHUNK)
    assert browser.arrived[0].read_bytes() == content


def test_a_piece_that_comes_twice_is_kept_once(browser):
    content = photo(2 * CHUNK)
    browser.offer(len(content))
    for _ in range(2):
        answer = browser.say("chunk", "a", content[:CHUNK], offset=0)
        assert answer == {"kind": "have", "id": "a", "offset": CHUNK}
    for _ in range(2):
        answer = browser.say("chunk", "a", content[CHUNK:], offset=CHUNK)
        assert answer == {"kind": "have", "id": "a", "offset": 2 * CHUNK}
    assert [path.read_bytes() for path in browser.arrived] == [content]


def test_after_a_silence_the_kernel_says_how_far_it_is(browser):
    content = photo(2 * CHUNK)
    browser.offer(len(content))
    browser.say("chunk", "a", content[:CHUNK], offset=0)
    assert browser.say("ask") == {"kind": "again", "id": "a", "offset": CHUNK}
    assert browser.offer(len(content)) == {"kind": "have", "id": "a", "offset": CHUNK}
    browser.say("chunk", "a", content[CHUNK:], offset=CHUNK)
    assert browser.say("ask") == {"kind": "have", "id": "a", "offset": 2 * CHUNK}
    assert browser.say("ask", "never offered") == {"kind": "stop", "id": "never offered"}


@pytest.mark.parametrize(
    ("size", "pieces"),
    [
        (10, [photo(11)]),
        (CHUNK + 1, [photo(CHUNK), b"12"]),
        (3 * CHUNK, [photo(CHUNK + 1)]),
        (10, [b""]),
        (10, []),
    ],
    ids=["longer", "longer at the end", "a piece too large", "nothing", "no buffer"],
)
def test_chunks_that_differ_from_the_offer_fail(browser, disk, size, pieces):
    browser.offer(size)
    offset = 0
    for piece in pieces or [None]:
        answer = browser.say("chunk", "a", *([] if piece is None else [piece]), offset=offset)
        offset += len(piece or b"")
    assert answer == {"kind": "stop", "id": "a"}
    assert browser.lines == [("1.jpg", "failed", "arrived in other pieces than announced; add it again")]
    assert files(disk) == []
    assert browser.arrived == []


@pytest.mark.parametrize(
    ("kind", "module"), [("heic", "pillow_heif"), pytest.param("avif", "PIL._avif", marks=needs_avif)]
)
def test_what_the_dialog_offers_is_accepted_if_it_can_be_read_here(monkeypatch, kind, module):
    assert f"image/{kind}" in DropZone(print).accept
    assert check_type(b"\0\0\0\x18ftyp" + kind.encode()) is None
    monkeypatch.setitem(sys.modules, module, None)
    assert f"image/{kind}" not in DropZone(print).accept
    problem = check_type(b"\0\0\0\x18ftyp" + kind.encode())
    assert problem.what == f"is {kind.upper()}, which cannot be read here"
    assert problem.hint.startswith("pip install '")


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"%PDF-1.7 and more", "is a PDF; convert it to JPEG"),
        (b"II*\0", "is a TIFF image or a camera's raw file; convert it to JPEG"),
        (b"<script>alert(1)</script>", "is not a JPEG, PNG or WebP image; convert it to JPEG"),
        (b"RIFF\0\0\0\0WAVEfmt ", "is not a JPEG, PNG or WebP image; convert it to JPEG"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "is a video, not an image; save a frame of it as JPEG"),
    ],
)
def test_another_type_is_refused_by_its_first_bytes(browser, disk, head, what):
    browser.offer(30 * CHUNK)
    answer = browser.say("chunk", "a", head.ljust(CHUNK, b"\0"), offset=0)
    assert answer == {"kind": "stop", "id": "a"}
    assert browser.lines == [("1.jpg", "failed", f"{what}, or choose another file")]
    assert files(disk) == []


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_these_types_are_accepted_whatever_their_name(browser, tmp_path, kind):
    Image.new("RGB", (8, 8)).save(tmp_path / "x", kind)
    browser.give((tmp_path / "x").read_bytes(), "photo.bin")
    assert [path.name for path in browser.arrived] == ["photo.bin"]


@pytest.mark.parametrize(
    ("size", "problem"),
    [(0, "is empty; choose another file"), (MAX_BYTES + 1, "is larger than 64 MiB; save it smaller")],
)
def test_a_wrong_size_is_refused_before_anything_is_sent(browser, disk, size, problem):
    assert browser.offer(size) == {"kind": "stop", "id": "a"}
    assert browser.lines == [("1.jpg", "failed", problem)]
    assert files(disk) == []


def test_one_photo_too_many_is_refused_until_another_is_removed(browser):
    for number in range(MAX_FILES):
        browser.give(photo(20), file_id=str(number))
    assert len(browser.arrived) == MAX_FILES
    browser.give(photo(20), "late.jpg", "late")
    assert browser.lines == [("late.jpg", "failed", "exceeds the limit of 100 photos; remove some first")]
    browser.zone.release(browser.arrived[0])
    browser.give(photo(20), "late.jpg", "later")
    assert browser.arrived[-1].name == "late.jpg"
    assert browser.arrived[0].exists()


def test_photos_that_are_still_to_come_count_as_well(browser):
    for number in range(MAX_FILES + 1):
        browser.offer(20, file_id=str(number))
    assert [state for _, state, _ in browser.lines] == ["coming"] * MAX_FILES + ["failed"]


def test_photos_arrive_in_the_order_in_which_they_were_given(browser):
    files = [{"id": file_id, "name": f"{file_id}.jpg", "size": 20} for file_id in "abcd"]
    browser.say("offer", files=files, page=browser.page)
    for file_id in "ba":  # as when two threads take messages at once
        browser.say("chunk", file_id, photo(20), offset=0)
    assert [path.name for path in browser.arrived] == ["a.jpg", "b.jpg"]
    browser.say("chunk", "d", photo(20), offset=0)
    assert [path.name for path in browser.arrived] == ["a.jpg", "b.jpg"]
    browser.say("cancel", ids=["c"])
    assert [path.name for path in browser.arrived] == ["a.jpg", "b.jpg", "d.jpg"]


def test_cancelled_in_the_middle_nothing_is_left(browser, disk):
    browser.offer(3 * CHUNK, file_id="a")
    browser.offer(3 * CHUNK, file_id="b")
    browser.say("chunk", "a", photo(CHUNK), offset=0)
    browser.say("cancel", ids=["a"])
    assert [row["id"] for row in browser.zone.transfers] == ["b"]
    assert [path.stat().st_size for path in files(disk)] == [0]
    # What was on its way meanwhile comes too late.
    assert browser.say("chunk", "a", photo(CHUNK), offset=CHUNK) == {"kind": "stop", "id": "a"}
    browser.say("cancel", ids=["b", "b", "unknown", 7])
    assert browser.zone.transfers == []
    assert files(disk) == []


def test_a_refused_file_is_shown_until_it_is_dismissed(browser):
    browser.offer(0)
    browser.say("cancel", ids=["a"])
    assert browser.lines == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's always full device")
def test_a_full_disk_is_reported_and_the_next_photo_is_tried(browser, disk):
    browser.offer(2 * CHUNK)
    (path,) = files(disk)
    path.unlink()
    path.symlink_to("/dev/full")
    assert browser.say("chunk", "a", photo(CHUNK), offset=0) == {"kind": "stop", "id": "a"}
    full = "cannot be stored (No space left on device); make room on the kernel's disk, or set TMPDIR "
    full += "to another folder and restart the kernel"
    assert browser.lines == [("1.jpg", "failed", full)]
    assert files(disk) == []
    browser.give(photo(20), file_id="b")
    assert len(browser.arrived) == 1


def test_a_missing_temporary_folder_is_reported(browser, disk):
    disk.rmdir()
    assert browser.offer(20) == {"kind": "stop", "id": "a"}
    ((_, state, problem),) = browser.lines
    assert (state, problem.split(" (")[0]) == ("failed", "cannot be stored")


def test_a_file_that_the_browser_cannot_read_any_more_is_given_up(browser, disk):
    browser.offer(3 * CHUNK)
    browser.say("chunk", "a", photo(CHUNK), offset=0)
    browser.say("lost")
    assert browser.lines == [("1.jpg", "failed", "cannot be read on your computer; add it again")]
    assert files(disk) == []


def test_a_closed_page_stops_its_photos_and_they_can_be_added_again(browser, disk):
    content = photo(2 * CHUNK)
    browser.offer(len(content))
    browser.say("chunk", "a", content[:CHUNK], offset=0)
    browser.say("hello", page="another")
    assert browser.lines == [("1.jpg", "stopped", "stopped because its page was closed; add it again")]
    browser.page = "another"
    browser.give(content, file_id="b")
    assert browser.arrived[0].read_bytes() == content
    assert browser.lines == []
    assert files(disk) == browser.arrived


def test_a_second_page_does_not_stop_one_that_goes_on(browser):
    content = photo(2 * CHUNK)
    browser.offer(len(content))
    browser.say("hello", page="another")
    browser.say("chunk", "a", content[:CHUNK], offset=0)
    assert browser.lines == [("1.jpg", "coming", "")]
    browser.say("chunk", "a", content[CHUNK:], offset=CHUNK)
    assert browser.arrived[0].read_bytes() == content


def test_a_new_page_learns_how_much_was_received(browser):
    browser.offer(2 * CHUNK)
    browser.say("chunk", "a", photo(CHUNK), offset=0)
    browser.say("hello", page="another")
    assert [row["received"] for row in browser.zone.transfers] == [CHUNK]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("/abs/olute.jpg", "olute.jpg"),
        ("C:\\Users\\me\\holiday.jpg", "holiday.jpg"),
        ("a\0b\r\n\x1b[31m.jpg", "ab[31m.jpg"),
        ("gpj.\u202ephoto.exe", "gpj.photo.exe"),
        ("<img src=x onerror=alert(1)>.jpg", "<img src=x onerror=alert(1)>.jpg"),
        ("..", "photo"),
        ("folder/", "photo"),
        ("", "photo"),
        ("half \ud83d.jpg", "half .jpg"),
        ("Äpfel 🍎.jpg", "Äpfel 🍎.jpg"),
        (f"{'ü' * 300}.jpg", f"{'ü' * 98}.jpg"),
    ],
)
def test_only_the_last_part_of_a_name_is_kept_without_what_cannot_be_seen(browser, disk, name, kept):
    browser.give(photo(20), name)
    (path,) = browser.arrived
    assert path.name == kept
    assert disk in path.parents


def test_a_name_for_windows_has_no_character_that_it_forbids():
    assert safe_name('<a>:"b|?*.jpg. ', windows=True) == "_a___b___.jpg"


def test_two_of_one_name_are_kept_apart(browser):
    first, second = photo(20), photo(30)
    browser.give(first, file_id="a")
    browser.give(second, file_id="b")
    assert [path.name for path in browser.arrived] == ["1.jpg", "1.jpg"]
    assert [path.read_bytes() for path in browser.arrived] == [first, second]


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        "chunk",
        {},
        {"kind": 7},
        {"kind": "chunk"},
        {"kind": "cancel", "ids": "a"},
        {"kind": "offer", "files": 7},
        {"kind": "offer", "files": [7]},
        {"kind": "offer", "files": [{"id": "b", "name": "x.jpg", "size": "20"}]},
        {"kind": "offer", "files": [{"id": "b", "name": "x.jpg", "size": -1}]},
        {"kind": "offer", "files": [{"id": "b", "name": "x.jpg", "size": True}]},
        {"kind": "offer", "files": [{"id": ["b"], "name": "x.jpg", "size": 20}]},
        {"kind": "offer", "files": [{"name": "x.jpg", "size": 20}]},
        {"kind": "chunk", "id": "a", "offset": "0"},
        {"kind": "chunk", "id": "a", "offset": -CHUNK},
    ],
    ids=str,
)
def test_an_invalid_message_is_ignored(browser, message):
    content = photo(20)
    browser.offer(len(content))
    browser.zone._handle_custom_msg(message, [memoryview(b"12345")])
    assert browser.lines == [("1.jpg", "coming", "")]
    browser.say("chunk", "a", content, offset=0)
    assert browser.arrived[0].read_bytes() == content


def test_the_receiver_of_a_photo_may_wait_for_another_thread(browser):
    released, in_time = threading.Event(), []

    def arrived(path: Path) -> None:
        threading.Thread(target=lambda: (browser.zone.release(path), released.set()), daemon=True).start()
        in_time.append(released.wait(PATIENCE))

    browser.zone._on_received = arrived
    browser.give(photo(20))
    assert in_time == [True]


def test_received_photos_are_removed_with_the_widget(browser, disk):
    browser.give(photo(20))
    browser.offer(20, file_id="b")
    browser.zone.close()
    assert list(disk.iterdir()) == []


# Loads the one file, since the package takes a second.
KERNEL = """
import importlib.util, os, signal, sys, tempfile
tempfile.tempdir = sys.argv[1]
spec = importlib.util.spec_from_file_location("temporary_folder", sys.argv[2])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
folder = module.TemporaryFolder()
photo = folder.path / "1.jpg"
photo.write_bytes(b"a photo")
"""


def run(disk: Path, program: str) -> str:
    """Run a kernel that has received a photo and ends in some way; return its output."""
    command = [sys.executable, "-W", "ignore", "-c", KERNEL + program, str(disk), temporary_folder.__file__]
    return subprocess.run(command, capture_output=True, text=True).stdout


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot fork")
def test_received_photos_are_removed_with_the_kernel_and_not_with_its_children(disk):
    output = run(disk, "if os.fork() == 0: sys.exit()\nos.wait()\nprint(photo.exists())")
    assert output == "True\n"
    assert list(disk.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such locks")
def test_the_photos_of_a_killed_kernel_are_removed_by_the_next_and_none_of_a_running_one(disk, browser):
    browser.give(photo(20))
    run(disk, "os.kill(os.getpid(), signal.SIGKILL)")
    assert len(list(disk.iterdir())) == 2
    run(disk, "")
    assert files(disk) == browser.arrived
