"""A scripted service that makes a tune of each whole request, whatever it answers then."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from helpers.scripted_server import PACK, TUNE, Answer, Exchange, ScriptedServer, reply

_TITLE = re.compile(rb'"title": ?"([^"]*)"')


class MakingService:
    """The service: pack 43 can be run, and the list of tunes shows what was made.

    Attributes
    ----------
    server : ScriptedServer
    tunes : list of dict
        What was made, oldest first.
    """

    def __init__(self, server: ScriptedServer) -> None:
        self.server = server
        self.tunes: list[dict[str, Any]] = []
        server.on("GET", "/p/43", reply(PACK))
        server.on("GET", "/tunes", self._list)

    @classmethod
    @contextmanager
    def running(cls) -> Iterator["MakingService"]:
        with ScriptedServer().running() as server:
            yield cls(server)

    def answers(self, answer: Answer) -> None:
        """Make a tune of each request from here on, and answer it so."""

        def make(exchange: Exchange) -> bool:
            length = int(exchange.request.headers["Content-Length"])
            exchange.request.body = exchange.stream.read(length)
            (title,) = _TITLE.findall(exchange.request.body)
            self.tunes.append({**TUNE, "id": 7 + len(self.tunes), "title": title.decode()})
            del exchange.request.headers["Content-Length"]  # it was read
            return answer(exchange)

        self.server.on("POST", "/p/43/tunes", make)

    def _list(self, exchange: Exchange) -> bool:
        page = self.tunes[::-1] if "before_id" not in exchange.request.query else []
        return reply(page)(exchange)


def raw(*parts: bytes | str | dict[str, Any]) -> Answer:
    """Answer with these bytes, one part after the other; a dictionary is JSON with its head."""

    def answer(exchange: Exchange) -> bool:
        for part in parts:
            if isinstance(part, dict):
                content = json.dumps(part).encode()
                part = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content
            exchange.socket.sendall(part.encode() if isinstance(part, str) else part)
            exchange.stopped.wait(0.005)  # so that they do not arrive as one
        return True

    return answer
