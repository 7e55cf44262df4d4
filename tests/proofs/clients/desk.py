"""What a replayed client works with: the sandbox, the program that it sends with, and its own web server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from astria_nb.sandbox import SandboxServer
from helpers.waiting import until
from sandbox.callbacks.test_callbacks import Receiver
from sandbox.conformance.programs import Answer, Call, File, Program

POLLS = 30  # of a prompt or a tune, until it is finished; the sandbox's clock moves with each


@dataclass(frozen=True)
class Reply:
    """An answer, as a client reads it."""

    call: Call
    answer: Answer

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def text(self) -> str:
        return self.answer.body.decode("utf-8", "replace")

    def json(self, *statuses: int) -> Any:
        """Return the JSON of an answer that has one of these statuses; 200 and 201 by default."""
        self.must_be(*(statuses or (200, 201)))
        return json.loads(self.answer.body)

    def must_be(self, *statuses: int) -> None:
        """Fail unless the answer has one of these statuses."""
        shown = f"{self.call.method} {self.call.path} was answered {self.status}: {self.text[:300]}"
        assert self.status in statuses, shown


class PublicClient:
    """A client of the API: each public method is one of its calls, played in the order in which they stand.

    Parameters
    ----------
    sandbox : SandboxServer
    programs : mapping of str to Program
        Those of the conformance table, by name.
    receiver : Receiver
        The client's own server, for callbacks.
    photo : bytes
    """

    program: ClassVar[str] = "node"
    headers: ClassVar[Mapping[str, str]] = {}
    """Those of each request, besides the key."""

    def __init__(
        self, sandbox: SandboxServer, programs: Mapping[str, Program], receiver: Receiver, photo: bytes
    ) -> None:
        self.sandbox, self.receiver, self.photo = sandbox, receiver, photo
        self.programs = programs
        self.urls = [f"https://example.com/{number}.jpg" for number in range(1, 11)]

    @classmethod
    def calls(cls) -> list[str]:
        """Return the names of the calls."""
        shared = dir(PublicClient)
        return [name for name in vars(cls) if not name.startswith("_") and name not in shared]

    def send(
        self,
        method: str,
        path: str,
        encoding: Any = "",
        fields: object = None,
        *,
        key: str | None = None,
        **headers: str,
    ) -> Reply:
        """Send a request with the client's program; without any key if `key` is empty."""
        key = self.sandbox.api_key if key is None else key
        sent = {**self.headers, **({"Authorization": f"Bearer {key}"} if key else {})}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if encoding != "json" and encoding:
            sent.pop("Content-Type", None)  # with the boundary, which the program knows
        call = Call(method, path, sent, encoding, fields)
        (answer,) = self.programs[self.program].send(self.sandbox.url, call)
        return Reply(call, answer)

    def picture(self, url: str, program: str | None = None) -> Reply:
        """Fetch a picture, without the key."""
        call = Call("GET", url.removeprefix(self.sandbox.url))
        (answer,) = self.programs[program or self.program].send(self.sandbox.url, call)
        reply = Reply(call, answer)
        reply.must_be(200)
        assert answer.headers["content-type"].startswith("image/"), answer.headers
        return reply

    def polled(self, path: str, name: str = "trained_at") -> Any:
        """Ask for an object until a field of it is filled."""
        for _ in range(POLLS):
            if (record := self.send("GET", path).json()).get(name):
                return record
        raise AssertionError(f"{path} has no {name} after {POLLS} polls")

    def called_back(self, path: str) -> Any:
        """Return the body of the next callback to a path of the client's server."""
        until(lambda: self.sandbox.advance(30) or self.receiver.bodies(path))
        return self.receiver.bodies(path)[0]

    def file(self, name: str = "1.jpg") -> File:
        """Return a photo to upload."""
        return File(name, self.photo)

    @contextmanager
    def failing_prompts(self, message: str) -> Iterator[None]:
        """Let a prompt that is made meanwhile fail."""
        self.sandbox.fail("prompt", message=message)
        yield
        self.sandbox.heal()
