"""Requests and replies for the tests of the log."""

from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from astria_nb.log import Log, RequestClaimed
from astria_nb.tune import ImageRecord, Request

SERVICE = "https://api.astria.ai"
KEY = "sd_CaNaRy0123456789abcdefgh"
REPLY: dict[str, Any] = {
    "id": 7,
    "title": "t",
    "name": "cat",
    "created_at": "2026-01-01T12:00:00.000Z",
    "updated_at": "2026-01-01T12:00:00.000Z",
    "trained_at": None,
    "orig_images": ["https://example.com/1.jpg"],
}
IMAGES = (ImageRecord("/photos/1.jpg", "1.jpg", 100, 5), ImageRecord("/photos/2.jpg", "2.jpg", 200, 6))


def a_request(
    title: str | None = "t",
    *,
    service: str = SERVICE,
    pack: int | str = 43,
    images: tuple[ImageRecord, ...] = (),
    account: str | None = None,
    **parameters: Any,
) -> Request:
    named = {"title": title, "name": "cat"} if title is not None else {"tune_ids": [7]}
    return Request(service, pack, title, "json", {**named, **parameters}, images, account=account)


def everything_on_disk(path: Path) -> bytes:
    """Return the bytes of the log and of SQLite's companion files."""
    return b"".join(file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*")))


def frame_titles(path: Path) -> list[str]:
    """Return the titles in a log's frame, the oldest first."""
    log = Log(path)
    try:
        return list(log.frame()["title"])
    finally:
        log.close()


def claim(line: tuple[Path, str]) -> str:
    """Claim a title in a log."""
    path, title = line
    try:
        Log(path).plan(a_request(title))
    except RequestClaimed:
        return "lost"
    return "won"


def work(pipe: Connection, path: Path, name: int) -> None:
    """Submit until killed, and send each state once it is written."""
    log, number = Log(path), 0
    while True:
        number += 1
        submission = log.plan(a_request(f"{name}.{number}"))
        pipe.send((submission.id, submission.state))
        for state in ("sending", "done"):
            reply = {**REPLY, "id": submission.id} if state == "done" else None
            submission = log.change(submission, state, reply=reply)
            pipe.send((submission.id, submission.state))


def tag(pipe: Connection, path: Path, name: str) -> None:
    """Tag the first submission of a log ten times, and say when that begins and ends."""
    log = Log(path)
    pipe.send("begins")
    for number in range(10):
        log.tag(1, f"{name} {number}")
    log.close()
    pipe.send("ends")
