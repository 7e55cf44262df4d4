"""Senders of callbacks: well-behaved, slow, or malformed."""

import http.client
import json
import socket
from typing import Any
from urllib.parse import urlsplit

from helpers.waiting import PATIENCE


def post(url: str, body: Any, **headers: str) -> int:
    """Send a callback as the service does, and return the status."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        connection.request("POST", f"{parts.path}?{parts.query}", content, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def raw(url: str, *pieces: bytes, timeout: float = PATIENCE) -> bytes:
    """Send bytes, and return the answer."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=timeout) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
            answer = b""
            while block := connection.recv(4096):
                answer += block
        except ConnectionError:
            return b""
        return answer


def target(url: str) -> str:
    """Return the target of a request to an address."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"
