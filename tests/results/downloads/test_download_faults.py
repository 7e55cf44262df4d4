"""Faults of single pictures, of a whole download, and of the disk."""

import errno
import hashlib
import io
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

import astria_nb as anb
from astria_nb.client import Throttle
from astria_nb.client import _transport as transport
from astria_nb.errors import AstriaError
from helpers.disks import NO_LOCKS, as_nobody, without_locks
from helpers.forked_kernels import python
from helpers.paths import TESTS
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
)  # fmt: skip
from helpers.scripted_server import KEY, Answer, Exchange, ScriptedServer, hang_up, reply, reset
from helpers.waiting import until


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def half(content: bytes, **headers: Any) -> Answer:
    """Send half of a picture, and close."""

    def answer(exchange: Exchange) -> bool:
        exchange.read()
        exchange.head(200, Content_Type="image/jpeg", **headers)
        exchange.socket.sendall(content[: len(content) // 2])
        return False

    return answer


def picture_of_type(kind: str) -> bytes:
    """Return a picture larger than a block of the download."""
    content = io.BytesIO()
    Pillow.effect_noise((700, 700), 60).convert("RGB").save(content, kind, quality=95)
    return content.getvalue()


WHOLE = a_picture(3, 300_000)
PICTURES = {kind: picture_of_type(kind) for kind in ("jpeg", "png", "webp")}
# A segment of its head holds a whole JPEG.
WITH_THUMBNAIL = b"\xff\xd8\xff\xe1\x13\x94" + a_picture(1, 5002) + bytes(2) + PICTURES["jpeg"][2:]
TRANSIENT = {
    "truncated": half(WHOLE, Content_Length=len(WHOLE)),
    "truncated, without a length": half(WHOLE),
    "truncated in a chunk": half(b"ffff\r\n" + WHOLE, Transfer_Encoding="chunked"),
    **{
        f"a complete answer with half a {kind}": image(whole[: len(whole) // 2])
        for kind, whole in PICTURES.items()
    },
    "a complete answer with half a jpeg, after a thumbnail": image(WITH_THUMBNAIL[:-50_000]),
    "reset": reset(),
    "hung up": hang_up,
    "429": reply(status=429, Retry_After="0"),
    "500": reply(status=500),
    "503": reply(status=503),
    "a gateway's page": image(b"<!doctype html><title>Log in</title>", "text/html"),
    "a page that says it is a picture": image(b"<!doctype html><title>Log in</title>"),
    "empty": image(b""),
    "broken gzip": image(b"x" * 99, Content_Encoding="gzip"),
}


@pytest.mark.parametrize("fault", TRANSIENT.values(), ids=TRANSIENT.keys())
def test_a_transient_fault_is_retried(
    server: ScriptedServer, client: anb.Client, out: Path, fault: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("astria_nb.results.downloads._fetcher._DEFAULT_RETRY_AFTER", 0.05)
    ten(server)
    server.on("GET", "/3", fault, fault, image(WHOLE))
    assert statuses(anb.download(ROW, client, out)) == {"saved": 10}
    assert (out / "3-1.jpg").read_bytes() == WHOLE
    assert asked(server).count("/3") == 3
    check(out)


@pytest.mark.parametrize("fault", TRANSIENT.values(), ids=TRANSIENT.keys())
def test_a_failed_picture_does_not_stop_the_others(
    server: ScriptedServer, client: anb.Client, out: Path, fault: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("astria_nb.results.downloads._fetcher._DEFAULT_RETRY_AFTER", 0.05)
    ten(server)
    server.on("GET", "/3", fault)
    frame = anb.download(ROW, client, out)
    assert statuses(frame) == {"saved": 9, "failed": 1}
    failed = frame.iloc[2]
    assert failed["status"] == "failed"
    assert failed["problem"]
    assert failed[["file", "bytes", "sha256"]].isna().all()
    assert len(check(out)) == 9
    server.on("GET", "/3", image(WHOLE))
    assert statuses(anb.download(ROW, client, out)) == {"there": 9, "saved": 1}


@pytest.mark.parametrize("whole", [WITH_THUMBNAIL, *PICTURES.values()])
def test_a_picture_may_have_more_after_its_end(
    server: ScriptedServer, client: anb.Client, out: Path, whole: bytes
) -> None:
    ten(server)
    server.on("GET", "/3", image(whole + bytes(99_999), "binary/octet-stream"))
    assert statuses(anb.download(ROW, client, out)) == {"saved": 10}
    assert statuses(anb.download(ROW, client, out)) == {"there": 10}


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_that_was_saved_without_its_end_is_fetched_again(
    server: ScriptedServer, client: anb.Client, out: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    ten(server)
    whole = PICTURES[kind]
    server.on("GET", "/3", image(whole[: len(whole) // 2], f"image/{kind}"), image(whole, f"image/{kind}"))
    with monkeypatch.context() as earlier_release:
        earlier_release.setattr("astria_nb.results.downloads._media_type.is_truncated", lambda *_: False)
        assert statuses(anb.download(ROW, client, out)) == {"saved": 10}
    assert statuses(anb.download(ROW, client, out)) == {"there": 9, "saved": 1}
    (saved,) = out.glob("3-*")
    assert saved.read_bytes() == whole
    assert statuses(anb.download(ROW, client, out)) == {"there": 10}


@pytest.mark.parametrize("status", [403, 404, 410])
def test_an_expired_picture_is_reported_and_requested_once(
    server: ScriptedServer, client: anb.Client, out: Path, status: int
) -> None:
    ten(server)
    server.on("GET", "/3", reply({}, status))
    frame = anb.download(ROW, client, out)
    assert (
        f"(status {status}); it may have expired: pictures are kept for 30 days" in frame["problem"].iloc[2]
    )
    assert asked(server).count("/3") == 1
    check(out)


@pytest.mark.parametrize(
    "answer", [reply(body=b"", status=304), reply(body=WHOLE[:999], status=206), reply(body=b"", status=204)]
)
def test_an_incomplete_answer_is_not_a_picture(
    server: ScriptedServer, client: anb.Client, out: Path, answer: Answer
) -> None:
    ten(server)
    server.on("GET", "/3", answer)
    assert statuses(anb.download(ROW, client, out)) == {"saved": 9, "failed": 1}
    check(out)


def test_a_huge_picture_is_refused_and_leaves_nothing(
    server: ScriptedServer, client: anb.Client, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "STREAM_BYTES", 2**20)
    ten(server)
    server.on("GET", "/3", image(a_picture(3, 2**21)))
    frame = anb.download(ROW, client, out)
    assert "larger than 1 MiB" in frame["problem"].iloc[2]
    assert asked(server).count("/3") == 1
    check(out)


def test_a_video_that_is_too_large_for_memory_is_saved(
    server: ScriptedServer, client: anb.Client, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "PICTURE_BYTES", 2**20)
    ten(server)
    video = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + bytes(2**21)
    server.on("GET", "/3", image(video, "video/mp4"))
    assert statuses(anb.download(ROW, client, out)) == {"saved": 10}
    assert (out / "3-1.mp4").read_bytes() == video
    with pytest.raises(AstriaError, match="larger than 1 MiB"):
        client.picture(f"{server.url}/3")


HOSTILE = [
    "file:///etc/passwd", "ftp://e.com/a", "javascript:alert(1)", "data:image/png;base64,AAAA", "", "http://",
    "http://[::1", "//e.com/1", "../../etc/passwd", "http://a\r\nb/", f"http://{'a' * 300}.example/", "\x00",
]  # fmt: skip


def test_hostile_addresses_are_only_reported(server: ScriptedServer, client: anb.Client, out: Path) -> None:
    ten(server)
    urls = [f"{server.url}/1", *HOSTILE]
    prompts(server, *(prompt(number, url) for number, url in enumerate(urls, 1)))
    frame = anb.download(ROW, client, out)
    assert frame["status"].tolist() == ["saved", *["failed"] * len(HOSTILE)]
    assert "not a web address" in frame["problem"].iloc[1]
    assert len(check(out)) == 1


def test_a_redirect_out_of_the_web_leads_nowhere(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    ten(server)
    server.on("GET", "/3", reply(status=302, Location="file:///etc/passwd"))
    server.on("GET", "/4", reply(status=302, Location="/4"))
    server.on("GET", "/5", reply(status=302, Location="/6"))
    frame = anb.download(ROW, client, out)
    assert frame.loc[frame["status"] == "failed", "prompt_id"].tolist() == [3, 4]
    assert "(it redirects to an address outside the web)" in frame["problem"].iloc[2]
    assert "(too many redirects)" in frame["problem"].iloc[3]
    assert (out / "5-1.jpg").read_bytes() == (out / "6-1.jpg").read_bytes()
    check(out)


def test_a_429_holds_all_workers_back(
    server: ScriptedServer, client: anb.Client, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [a_picture(number) for number in range(1, 31)]
    arrived: list[float] = []
    holds: list[tuple[float, float]] = []
    back_off = Throttle.back_off

    def record(throttle: Throttle, seconds: float) -> None:
        back_off(throttle, seconds)
        holds.append((time.monotonic(), time.monotonic() + throttle.remaining()))

    monkeypatch.setattr(Throttle, "back_off", record)

    def serve(content: bytes) -> Answer:
        def answer(exchange: Exchange) -> bool:
            arrived.append(time.monotonic())
            time.sleep(0.02)
            return image(content)(exchange)

        return answer

    for number, picture in enumerate(pictures, 1):
        server.on("GET", f"/{number}", serve(picture))
    server.on("GET", "/5", reply(status=429, Retry_After="1"), serve(pictures[4]))
    prompts(server, *(prompt(number, f"{server.url}/{number}") for number in range(1, 31)))
    assert statuses(anb.download(ROW, client, out, max_workers=4)) == {"saved": 30}
    ((start, end),) = holds
    # Each of the other three workers may have been about to send its next request.
    assert sum(start < moment < end for moment in arrived) <= 3


def test_a_retry_after_of_hours_ends_the_download(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    ten(server)
    server.on("GET", "/1", reply(status=429, Retry_After="7200"))
    frame = anb.download(ROW, client, out, max_workers=1)
    assert asked(server) == ["/1"]
    assert frame["problem"].iloc[5] == "its host asks to wait 2 h; call download after that"


# Interrupts


DOWNLOAD = """
import sys, astria_nb as anb
from helpers.picture_host import ROW
anb.download(ROW, anb.Client(sys.argv[1], base_url=sys.argv[2]), sys.argv[3], max_workers=4)
"""


def start(server: ScriptedServer, out: Path) -> subprocess.Popen[str]:
    """Download in a child process."""
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    return subprocess.Popen(
        [*python(), "-c", DOWNLOAD, KEY, server.url, out],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["drips", "hangs", "rate limits"])
def test_ctrl_c_leaves_only_whole_files(server: ScriptedServer, out: Path, fault: str) -> None:
    ten(server)
    stopped = threading.Event()

    def never(exchange: Exchange) -> bool:
        if fault == "drips":
            exchange.head(200, Content_Type="image/jpeg", Content_Length=10**6)
            exchange.socket.sendall(a_picture(1))
        stopped.wait()
        return False

    server.on("GET", "/9", reply(status=429, Retry_After="60") if fault == "rate limits" else never)
    server.on("GET", "/10", never)
    process = start(server, out)
    try:
        server.await_request(11 if fault != "rate limits" else 10)
        until(lambda: (out / "manifest.jsonl").exists() and len(manifest(out)) == 8)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)  # a picture would have two minutes
    finally:
        stopped.set()
        process.kill()
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert process.returncode != 0
    assert len(check(out)) == 8


# The disk


resource = pytest.importorskip("resource", reason="this system cannot limit the size of files")


def test_a_full_disk_is_reported_and_complete_files_stay(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    pictures = ten(server)
    server.on("GET", "/10", image(a_picture(10, 400_000)))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        with pytest.raises(AstriaError, match=r"^folder: .* \(File too large\); free some space"):
            anb.download(ROW, client, out, max_workers=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(check(out)) == 9
    assert (out / "9-1.jpg").read_bytes() == pictures[8]
    assert statuses(anb.download(ROW, client, out)) == {"there": 9, "saved": 1}


def test_a_disk_without_room_for_the_manifest_keeps_the_old_one(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    ten(server)
    server.on("GET", "/3", reply({}, 404))
    anb.download(ROW, client, out)
    record = (out / "manifest.jsonl").read_bytes()
    server.on("GET", "/3", image(b"\xff\xd8\xff\xd9"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(record), before[1]))
    try:
        with pytest.raises(AstriaError, match="free some space"):
            anb.download(ROW, client, out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (out / "manifest.jsonl").read_bytes() == record
    assert statuses(anb.download(ROW, client, out)) == {"there": 9, "saved": 1}
    check(out)


@pytest.mark.parametrize("name", NO_LOCKS)
def test_a_folder_on_a_disk_without_locks_is_filled(
    server: ScriptedServer, client: anb.Client, out: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    ten(server)
    without_locks(monkeypatch, name)
    assert statuses(anb.download(ROW, client, out)) == {"saved": 10}
    assert statuses(anb.download(ROW, client, out)) == {"there": 10}
    assert len(check(out)) == 10


@pytest.fixture
def powerless() -> Iterator[Path]:
    """Run as a user who is subject to permissions, and give a folder of that user."""
    with as_nobody() as folder:
        yield folder


def test_a_read_only_folder_is_reported_unless_all_files_exist(
    server: ScriptedServer, client: anb.Client, powerless: Path
) -> None:
    ten(server)
    server.on("GET", "/3", reply({}, 404))
    anb.download(ROW, client, powerless)
    server.on("GET", "/3", image(WHOLE))
    powerless.chmod(0o500)
    with pytest.raises(AstriaError, match=r"^folder: .* \(Permission denied\); choose another one, or fix"):
        anb.download(ROW, client, powerless)
    powerless.chmod(0o700)
    anb.download(ROW, client, powerless)
    powerless.chmod(0o500)
    assert statuses(anb.download(ROW, client, powerless)) == {"there": 10}
    powerless.chmod(0o700)


def test_a_file_in_place_of_the_folder_is_reported(
    server: ScriptedServer, client: anb.Client, tmp_path: Path
) -> None:
    ten(server)
    (tmp_path / "file").write_text("mine")
    for place in ("file", "file/below"):
        with pytest.raises(AstriaError, match=r"^folder: .*file.* cannot be used"):
            anb.download(ROW, client, tmp_path / place)
    assert (tmp_path / "file").read_text() == "mine"
    assert asked(server) == []
    with pytest.raises(AstriaError, match=r"it is a file.; give a folder"):
        anb.download(ROW, client, tmp_path / "file")


@pytest.mark.parametrize("folder", [None, 7, "a\x00b"])
def test_an_invalid_folder_is_reported(client: anb.Client, folder: Any) -> None:
    with pytest.raises(AstriaError, match=r"^folder: "):
        anb.download(ROW, client, folder)


def test_a_picture_that_cannot_be_read_is_an_error_of_the_folder_and_stays(
    server: ScriptedServer, client: anb.Client, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ten(server)
    anb.download(ROW, client, out)

    def fail(*_: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(hashlib, "file_digest", fail)
        with pytest.raises(AstriaError, match=r"^folder: .*\(Input/output error\); .*, or check its disk$"):
            anb.download(ROW, client, out)
    assert len(check(out)) == 10
    assert statuses(anb.download(ROW, client, out)) == {"there": 10}
