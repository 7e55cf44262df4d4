"""Pack runs by clients of several kinds, and what the ledger says about them."""

import json
import socket
from collections.abc import Callable

import requests

from astria_nb.sandbox import ReceivedRequest, SandboxServer
from helpers.waiting import PATIENCE
from sandbox.helpers.api import Api, image_bytes

RUN = "POST /p/*/tunes"

Run = Callable[[Api], requests.Response]


def as_json(api: Api, **options: object) -> requests.Response:
    return api.train(**options)


def as_multipart(api: Api) -> requests.Response:
    form = {"tune[title]": "t", "tune[name]": "man"}
    return api.post("/p/43/tunes", data=form, files={"tune[images][]": image_bytes("PNG", (900, 900))})


def only(sandbox: SandboxServer) -> ReceivedRequest:
    (request,) = sandbox.ledger
    return request


def raw(sandbox: SandboxServer, body: bytes = b"", head: str = "") -> socket.socket:
    """Send a pack run by hand; return the connection."""
    host, _, port = sandbox.url.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=PATIENCE)
    body = body or json.dumps({"tune": {"title": "t", "name": "man", "image_urls": ["http://a/b"]}}).encode()
    lines = [
        "POST /p/43/tunes HTTP/1.1",
        f"Host: {host}:{port}",
        f"Authorization: Bearer {sandbox.api_key}",
        "Content-Type: application/json",
        head or f"Content-Length: {len(body)}",
    ]
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
    return connection
