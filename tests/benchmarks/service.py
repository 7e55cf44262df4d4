"""A service that takes SECONDS for each tune and keeps only titles: prints its port, runs until it is killed.

Run as ``python service.py SECONDS``.
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
SMALL = 100_000  # bytes; larger bodies are discarded unread


class Account:
    """The tunes that were made, newest last."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.tunes = seconds, list[dict[str, object]]()
        self._ids = itertools.count(1001)

    def answer(self, method: str, target: str, body: bytes) -> tuple[str, object]:
        path, _, query = target.partition("?")
        if method == "POST":
            time.sleep(self.seconds)
            number = next(self._ids)
            title = json.loads(body)["tune"]["title"] if body.startswith(b"{") else f"tune {number}"
            made = "2026-11-29T15:00:00.000Z"
            tune = {"id": number, "title": title, "name": "cat", "created_at": made, "updated_at": made}
            tune |= {"eta": made, "started_training_at": None, "trained_at": None, "orig_images": []}
            self.tunes.append(tune)
            return "201 Created", tune
        if path.startswith("/p/"):
            return "200 OK", PACK
        wanted = {name: int(values[0]) for name, values in parse_qs(query).items() if values[0].isdigit()}
        older = (tune for tune in reversed(self.tunes) if tune["id"] < wanted.get("before_id", 10**12))
        return "200 OK", list(itertools.islice(older, wanted.get("limit", 20)))


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
    account = Account(float(sys.argv[1]))
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            threading.Thread(target=serve, args=[listener.accept()[0], account], daemon=True).start()


if __name__ == "__main__":
    main()
