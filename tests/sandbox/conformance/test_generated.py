"""Whatever is sent: no answer is a 5xx, a refused request changes nothing, others only what they name."""

import http.client
import json
import logging
import re
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from astria_nb.sandbox import SandboxServer
from helpers.soak import sizes
from helpers.waiting import PATIENCE
from sandbox.conformance.odd_requests import BODIES, Sent, requests
from sandbox.helpers.api import Api

A_VISIT = 20
FULL = 100  # a snapshot has 120 of each kind, and a request makes ten
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@dataclass(frozen=True)
class Snapshot:
    """Everything that a request might change: (kind, id) → the object as the API shows it."""

    objects: dict[tuple[str, object], object]

    def changed(self, later: "Snapshot") -> set[tuple[str, object]]:
        keys = self.objects.keys() | later.objects.keys()
        return {key for key in keys if self.objects.get(key) != later.objects.get(key)}


class Visit:
    """One sandbox with a tune and two prompts, and a connection to it that is kept."""

    def __init__(self, sandbox: SandboxServer, folder: Path) -> None:
        self.sandbox, self._folder = sandbox, folder
        self._netloc = sandbox.url.removeprefix("http://")
        self._connection = http.client.HTTPConnection(self._netloc, timeout=PATIENCE)
        with Api(sandbox) as api:
            self.tune = api.train(prompt_ids=[43001, 43002]).json()["id"]
            self.prompt = api.get("/prompts").json()[0]["id"]
        self.sent = 0
        self.snapshot = self.take_snapshot()

    def close(self) -> None:
        self._connection.close()

    def take_snapshot(self) -> Snapshot:
        """Read everything, with pipelined requests."""
        paths = [f"/{kind}?limit=120" for kind in ("tunes", "prompts", "packs")]
        *lists, user = self._get(*paths, "/users")
        objects: dict[tuple[str, object], object] = {("balance", 0): user["usd_balance_mc"]}
        for kind, rows in zip(("tunes", "prompts", "packs"), lists, strict=True):
            objects |= {(kind, row["id"]): _own_fields(row) for row in rows}
        objects["files", 0] = sorted(path.name for path in self._folder.rglob("*") if path.is_file())
        return Snapshot(objects)

    def send(self, sent: Sent) -> list[tuple[int, bytes]]:
        """Return the status and body of each answer: one, or as many as the bytes were parsed as."""
        self.sent += 1
        path = sent.path.replace(":tune", str(self.tune)).replace(":prompt", str(self.prompt))
        body = sent.body.replace(b'":tune"', str(self.tune).encode()).replace(
            b":tune", str(self.tune).encode()
        )
        headers = {"Host": self._netloc, "Authorization": f"Bearer {self.sandbox.api_key}"} | dict(
            sent.headers
        )
        if sent.framed:
            headers["Content-Length"] = str(len(body))
        lines = [f"{sent.method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        head = "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogatepass")
        return [self._reusing(sent.method, head + body)] if sent.framed else self._apart(head + body)

    def _get(self, *paths: str) -> list[Any]:
        headers = f"Host: {self._netloc}\r\nAuthorization: Bearer {self.sandbox.api_key}\r\n"
        self._write("".join(f"GET {path} HTTP/1.1\r\n{headers}\r\n" for path in paths).encode())
        stream = self._connection.sock.makefile("rb")
        bodies = []
        for _ in paths:
            assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
            length = int(http.client.parse_headers(stream)["Content-Length"])
            bodies.append(json.loads(stream.read(length)))
        return bodies

    def _write(self, request: bytes) -> None:
        if self._connection.sock is None:
            self._connection.connect()
        self._connection.sock.sendall(request)

    def _reusing(self, method: str, request: bytes) -> tuple[int, bytes]:
        """Send on the connection that is kept alive."""
        self._write(request)
        response = http.client.HTTPResponse(self._connection.sock, method=method)
        response.begin()
        answer = response.status, response.read()
        if response.will_close:
            self._connection.close()
        return answer

    def _apart(self, request: bytes) -> list[tuple[int, bytes]]:
        """Send on a connection of its own, and read until the server closes it."""
        host, _, port = self._netloc.partition(":")
        received = b""
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as raw:
            try:
                raw.sendall(request)
                raw.shutdown(socket.SHUT_WR)
                while data := raw.recv(65536):
                    received += data
            except ConnectionError:
                pass  # refused in the middle; what was read before counts
        starts = [match.start() for match in STATUS.finditer(received)]
        ends = [*starts[1:], len(received)][: len(starts)]
        answers = [received[start:end] for start, end in zip(starts, ends, strict=True)]
        return [(int(answer[9:12]), answer.partition(b"\r\n\r\n")[2]) for answer in answers]


def _own_fields(row: dict[str, object]) -> dict[str, object]:
    """Return an object without the fields that change by themselves, or when another object does."""
    foreign = ("tunes", "prompts_per_class", "progress_elapsed_seconds")
    return {name: value for name, value in row.items() if name not in foreign}


class Tracebacks(logging.Handler):
    """Keeps the records of errors, tracebacks included."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(logging.Formatter().format(record))


class Ground:
    """Starts sandboxes, each for a few requests."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._folder, self._patch = folder, patch
        self._visit: Visit | None = None
        self.logged = Tracebacks()

    @contextmanager
    def visit(self) -> Iterator[Visit]:
        """Visit a sandbox; it is used again unless a check failed, an object was deleted, or it is full."""
        visit = self._visit or self._new()
        self._visit = None
        try:
            yield visit
        except BaseException:
            self._leave(visit)
            raise
        prompts = [number for kind, number in visit.snapshot.objects if kind == "prompts"]
        if (
            visit.sent < A_VISIT
            and len(prompts) <= FULL
            and {("tunes", visit.tune), ("prompts", visit.prompt)} <= visit.snapshot.objects.keys()
        ):
            self._visit = visit
        else:
            self._leave(visit)

    def close(self) -> None:
        if self._visit:
            self._leave(self._visit)

    def _new(self) -> Visit:
        del self.logged.texts[:]
        uploads = Path(tempfile.mkdtemp(dir=self._folder))
        self._patch.setattr(tempfile, "tempdir", str(uploads))
        return Visit(SandboxServer(speed=0.01).start(), uploads)

    def _leave(self, visit: Visit) -> None:
        visit.close()
        visit.sandbox.stop()


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder, logger = tmp_path_factory.mktemp("uploads"), logging.getLogger("astria_nb.sandbox")
    with pytest.MonkeyPatch.context() as patch:
        new_ground = Ground(folder, patch)
        logger.addHandler(new_ground.logged)
        yield new_ground
        logger.removeHandler(new_ground.logged)
        new_ground.close()


def settings_of(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.slow
@sizes(20, 440)
@pytest.mark.parametrize("route", BODIES)
def test_a_route_that_takes_a_body(ground: Ground, route: str, size: int) -> None:
    @settings_of(size)
    @given(sent=requests(route))
    def send(sent: Sent) -> None:
        check(ground, sent)

    send()


@sizes(75, 1040)
def test_any_other_request(ground: Ground, size: int) -> None:
    @settings_of(size)
    @given(sent=requests(None))
    def send(sent: Sent) -> None:
        check(ground, sent)

    send()


def check(ground: Ground, sent: Sent) -> None:
    """Send a request; check the answers, the log, and the objects before and after."""
    with ground.visit() as visit:
        before = visit.snapshot
        answers = visit.send(sent)
        assert ground.logged.texts == []
        statuses = [status for status, _ in answers]
        assert all(status < 500 for status in statuses), answers
        visit.snapshot = visit.take_snapshot()
        changed = before.changed(visit.snapshot)
        if sent.method in SAFE_METHODS or not any(200 <= status < 300 for status in statuses):
            assert changed == set(), answers
        created = {key for key in changed if key not in before.objects}
        assert {kind for kind, _ in created} <= makes(sent)
        assert changed - created <= named(sent, visit)


def makes(sent: Sent) -> set[str]:
    """Return the kinds of objects that a request may create."""
    path = route(sent)
    if sent.method != "POST":
        return set()
    if path.endswith("/tunes"):
        return {"tunes", "prompts"}
    makes_prompts = path.endswith(("/prompts", "/duplicate", "/themes"))
    return {"prompts"} if makes_prompts else {"packs"} if path == "/packs" else set()


def named(sent: Sent, visit: Visit) -> set[tuple[str, object]]:
    """Return the existing objects that a request may change."""
    path = route(sent)
    if makes(sent):
        return {("balance", 0), ("files", 0)}
    if ":prompt" in path:
        return {("prompts", visit.prompt)}
    if path == "/tunes/:tune":
        # A tune may take its files and prompts with it.
        return {("tunes", visit.tune), ("files", 0), *(("prompts", visit.prompt - n) for n in (0, 1))}
    return set()


def route(sent: Sent) -> str:
    return sent.path.partition("?")[0].rstrip("/").removesuffix(".json")
