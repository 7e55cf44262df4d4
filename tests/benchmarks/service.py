"""A service that takes SECONDS for each tune and keeps only titles: prints its port, runs until it is killed.

Run as ``python service.py SECONDS [TUNES [PROMPTS [KEPT]]]``: the account has so many tunes at first, which
are trained if each has prompts, of four pictures. It lists no more than KEPT; default: all.
"""

import contextlib
import itertools
import json
import socket
import sys
import threading
import time
from urllib.parse import parse_qs

PACK = {"id": 797, "slug": "cats", "costs": {"cat": {"cost": 331, "num_images": 4}}}
FIRST, DAY = 1001, "2026-11-29T15:00:00.000Z"
SMALL = 100_000  # bytes; larger bodies are discarded unread


class Account:
    """The tunes that were made, newest last: the id of each is one more than that of the one before."""

    def __init__(self, seconds: float, tunes: int = 0, prompts: int = 0, kept: int | None = None) -> None:
        self.seconds, self.tunes = seconds, list[dict[str, object]]()
        self._most, self._ids = kept, itertools.count(FIRST)
        self._lock, self._prompt_count = threading.Lock(), prompts
        for number in range(tunes):
            self._add(f"tune {number}")

    def answer(self, method: str, target: str, body: bytes) -> tuple[str, object]:
        path, _, query = target.partition("?")
        if method == "POST":
            time.sleep(self.seconds)
            return "201 Created", self._add(json.loads(body)["tune"]["title"] if body[:1] == b"{" else None)
        if path.endswith("/prompts"):
            return "200 OK", [] if "before_id" in query else self._prompts(int(path.split("/")[2]))
        if path.startswith("/p/"):
            return "200 OK", PACK
        wanted = {name: int(values[0]) for name, values in parse_qs(query).items() if values[0].isdigit()}
        end = min(len(self.tunes), max(0, wanted.get("before_id", 10**12) - FIRST))
        return "200 OK", self.tunes[max(0, end - wanted.get("limit", 20)) : end][::-1]

    def _prompts(self, tune_id: int) -> list[dict[str, object]]:
        numbers = range(tune_id * self._prompt_count, (tune_id + 1) * self._prompt_count)
        addresses = {
            number: [f"http://127.0.0.1:9/{number}/{image}.jpg" for image in range(4)] for number in numbers
        }
        shared = {
            "tune_id": tune_id,
            "text": "a cat",
            "created_at": DAY,
            "updated_at": DAY,
            "trained_at": DAY,
        }
        return [{"id": number, "images": addresses[number]} | shared for number in reversed(numbers)]

    def _add(self, title: str | None) -> dict[str, object]:
        with self._lock:
            number = next(self._ids)
            tune = {"id": number, "title": title or f"tune {number}", "name": "cat", "created_at": DAY}
            tune |= {"updated_at": DAY, "eta": DAY, "started_training_at": None}
            tune |= {"trained_at": DAY if self._prompt_count else None}
            tune |= {"orig_images": []}
            if self._most is None or len(self.tunes) < self._most:
                self.tunes.append(tune)
            return tune


def serve(connection: socket.socket, account: Account) -> None:
    buffer = bytearray(1 << 20)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, contextlib.suppress(OSError):
        while answer_one(connection, buffer, account):
            pass


def answer_one(connection: socket.socket, buffer: bytearray, account: Account) -> bool:
    """Read one request and answer it; return False if the connection was closed."""
    head = b""
    while b"\r\n\r\n" not in head:
        received = connection.recv(65536)
        if not received:
            return False
        head += received
    head, _, body = head.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in lines)
    if fields.get("expect"):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    size = int(fields.get("content-length", 0))
    remaining = size - len(body)
    while remaining > 0:
        count = connection.recv_into(buffer)
        if not count:
            return False
        remaining -= count
        if size < SMALL:
            body += buffer[:count]
    method, target, _ = first.split(" ")
    status, value = account.answer(method, target, body if size < SMALL else b"")
    content = json.dumps(value).encode()
    kind = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    connection.sendall(kind.encode() + content)
    return True


def main() -> None:
    account = Account(float(sys.argv[1]), *map(int, sys.argv[2:]))
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            threading.Thread(target=serve, args=[listener.accept()[0], account], daemon=True).start()


if __name__ == "__main__":
    main()
