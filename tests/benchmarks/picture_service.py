"""A service without delay, with tunes in training, and one whose pictures are ready: prints its port.

Run as ``python picture_service.py TUNES PICTURES BYTES``; it runs until it is killed. All pictures have the
same bytes, so that it costs little beside what is measured.
"""

import contextlib
import io
import json
import socket
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any
from urllib.parse import parse_qs

READY, FEW = 8, 7  # the tunes with all pictures, and with those of one prompt
PER_PROMPT = 8
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n"


def picture(size: int) -> bytes:
    """Return a JPEG file of a size, filled up with comments before the pixels: it ends as JPEG files do."""
    from PIL import Image

    out = io.BytesIO()
    Image.effect_noise((1024, 1024), 25).convert("RGB").save(out, "JPEG", quality=60)
    start, rest = out.getvalue()[:2], out.getvalue()[2:]
    comments = bytearray()
    while (missing := size - len(out.getvalue()) - len(comments)) > 4:
        length = min(missing - 2, 0xFFFF)
        comments += b"\xff\xfe" + length.to_bytes(2, "big") + bytes(length - 2)
    return start + comments + rest


def tune(id_: int, started: datetime, trained: bool) -> dict[str, Any]:
    def at(minutes: float) -> str:
        return f"{started + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%S.000Z}"

    return {
        "id": id_,
        "title": f"tune {id_}",
        "name": "cat",
        "is_api": True,
        "token": "ohwx",
        "base_tune_id": 1504944,
        "model_type": "lora",
        "branch": "flux1",
        "face_crop": False,
        "args": None,
        "steps": None,
        "ckpt_url": None,
        "ckpt_urls": [],
        "callback": None,
        "url": f"https://www.astria.ai/tunes/{id_}.json",
        "orig_images": [f"https://sdbooth2-production.s3.amazonaws.com/{id_}-{k}.jpg" for k in range(4)],
        "created_at": at(-10),
        "updated_at": at(-10),
        "started_training_at": at(-5),
        "eta": at(id_ / 60 if trained else 600 + id_ / 60),
        "trained_at": at(-1) if trained else None,
        "expires_at": at(30 * 24 * 60) if trained else None,
    }


def prompt(id_: int, urls: list[str], made: str) -> dict[str, Any]:
    text = f"portrait of ohwx cat, number {id_}"
    times = dict.fromkeys(("created_at", "updated_at", "started_training_at", "trained_at"), made)
    return {"id": id_, "tune_id": READY, "text": text, "num_images": PER_PROMPT, "images": urls, **times}


class Service:
    """Its answers, each made once."""

    def __init__(self, tunes: int, count: int, address: str) -> None:
        started = datetime.now(UTC)
        self.tunes = [tune(id_, started, trained=False) for id_ in range(1000, 1000 + tunes)]
        self.tunes[:0] = [tune(id_, started, trained=True) for id_ in (FEW, READY)]
        urls = [f"{address}/picture/{number}.jpg" for number in range(count)]
        groups = [urls[first : first + PER_PROMPT] for first in range(0, count, PER_PROMPT)]
        made = self.tunes[0]["trained_at"]
        self.prompts = [prompt(number, group, made) for number, group in enumerate(groups, 1)]
        self.answer = cache(self._answer)

    def _answer(self, target: str) -> bytes:
        path, _, query = target.partition("?")
        wanted = {name: int(values[0]) for name, values in parse_qs(query).items() if values[0].isdigit()}
        lists = {
            "/tunes": self.tunes,
            f"/tunes/{READY}/prompts": self.prompts,
            f"/tunes/{FEW}/prompts": self.prompts[:1],
        }
        if path in lists:
            before = wanted.get("before_id", 10**12)
            older = [record for record in reversed(lists[path]) if record["id"] < before]
            answer: object = older[: wanted.get("limit", 20)]
        else:
            answer = self.tunes[0 if path.endswith(f"/{FEW}") else 1]
        content = json.dumps(answer).encode()
        return HEAD.format("application/json", len(content)).encode() + content


def serve(connection: socket.socket, service: Service, file: bytes) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    received = b""
    with connection, contextlib.suppress(OSError):
        for block in iter(partial(connection.recv, 65536), b""):
            received += block
            while b"\r\n\r\n" in received:
                head, _, received = received.partition(b"\r\n\r\n")
                target = head.split(b" ", 2)[1].decode()
                connection.sendall(file if target.startswith("/picture/") else service.answer(target))


def main(tunes: int, count: int, size: int) -> None:
    content = picture(size)
    file = HEAD.format("image/jpeg", len(content)).encode() + content
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        port = listener.getsockname()[1]
        service = Service(tunes, count, f"http://127.0.0.1:{port}")
        print(port, flush=True)
        answer: Callable[[socket.socket], None] = partial(serve, service=service, file=file)
        while True:
            threading.Thread(target=answer, args=[listener.accept()[0]], daemon=True).start()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
