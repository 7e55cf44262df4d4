"""A scripted service with one trained tune, its prompts and their pictures."""

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pandas as pd

import astria_nb as anb
from helpers.scripted_server import TUNE, Answer, Exchange, ScriptedServer, reply

TUNE_ID = 7
TRAINED = {**TUNE, "trained_at": "2026-01-01T12:00:00Z", "expires_at": "2026-01-31T12:00:00Z"}
ROW = anb.rows.tune_frame([TRAINED])


def a_picture(number: int, size: int = 5000) -> bytes:
    """Return bytes that look like a JPEG."""
    inside = random.Random(number).randbytes(size).replace(b"\xff", b"\xfe")  # only its end looks like one
    return b"\xff\xd8\xff\xe0" + inside + b"\xff\xd9"


def image(content: bytes, content_type: str = "image/jpeg", **headers: Any) -> Answer:
    return reply(body=content, Content_Type=content_type, **headers)


def prompt(number: int, *urls: str, **fields: Any) -> dict[str, Any]:
    return {"id": number, "text": f"prompt {number}", "tune_id": TUNE_ID, "images": list(urls), **fields}


def a_list(server: ScriptedServer, path: str, *items: dict[str, Any]) -> None:
    """Answer every request for a path with a list, newest first."""

    def answer(exchange: Exchange) -> bool:
        page = [] if "before_id" in exchange.request.query else sorted(items, key=lambda item: -item["id"])
        return reply(page)(exchange)

    server.on("GET", path, answer)


def prompts(server: ScriptedServer, *items: dict[str, Any]) -> None:
    """Answer with these prompts."""
    a_list(server, f"/tunes/{TUNE_ID}/prompts", *items)


def ten(server: ScriptedServer) -> list[bytes]:
    """Answer with ten prompts of one picture each, ``/1`` to ``/10``, and return the pictures."""
    pictures = [a_picture(number) for number in range(1, 11)]
    for number, picture in enumerate(pictures, 1):
        server.on("GET", f"/{number}", image(picture))
    prompts(server, *(prompt(number, f"{server.url}/{number}") for number in range(1, 11)))
    return pictures


def asked(server: ScriptedServer) -> list[str]:
    """Return the paths of the pictures that were requested."""
    return [request.path for request in server.requests if "tunes" not in request.path]


def manifest(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines()]


def check(folder: Path) -> list[dict[str, Any]]:
    """Make sure that a folder holds whole files, a correct manifest and nothing else; return its entries."""
    entries = manifest(folder)
    for entry in entries:
        content = (folder / entry["file"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (entry["bytes"], entry["sha256"])
    names = {path.name for path in folder.iterdir()} - {"manifest.jsonl", ".manifest.lock"}
    assert names == {entry["file"] for entry in entries}
    return entries


def statuses(frame: pd.DataFrame) -> dict[str, int]:
    return dict(frame["status"].value_counts())
