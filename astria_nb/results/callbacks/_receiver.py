"""Receives POSTs to one secret address of this machine, and reveals nothing to other requests."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

from astria_nb.results.callbacks._rate_limit import RateLimit
from astria_nb.results.callbacks._secret import Secret
from astria_nb.results.callbacks._server import Server, listen, status_line

BURST, RATE = 1000, 50.0
"""Requests accepted at once, as after a large pack, and requests a second from there on."""
_STOP_SECONDS = 1.0

_logger = logging.getLogger(__name__)


class Receiver:
    """Listens as soon as it is created. Requests without the secret are answered 404.

    Parameters
    ----------
    port : int
        0 for any free port.
    secret : Secret
    on_callback : callable
        Called with the body of each request, from several threads; returns the HTTP status to answer.

    Attributes
    ----------
    port : int
        The port that it listens on.

    Raises
    ------
    OSError
        The port is taken.
    """

    def __init__(self, port: int, secret: Secret, on_callback: Callable[[bytes], int]) -> None:
        self._secret, self._on_callback = secret, on_callback
        self._rate_limit = RateLimit(BURST, RATE)
        listener = listen(port)
        self.port = int(listener.getsockname()[1])
        self._server = Server(secret, self._application, listener)
        self._thread = threading.Thread(target=self._server.run, name="astria_nb callbacks", daemon=True)

    def start(self) -> None:
        """Start answering."""
        self._thread.start()

    def stop(self) -> None:
        """Free the port. Requests that are being processed are answered, incomplete ones are not."""
        self._server.stop(_STOP_SECONDS)
        self._thread.join(_STOP_SECONDS)

    def _application(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            status = self._status(environ)
        except Exception:
            _logger.exception("a callback could not be processed")
            status = 500
        start_response(status_line(status), [("Content-Length", "0")])
        return []

    def _status(self, environ: dict[str, Any]) -> int:
        if environ["REQUEST_METHOD"] != "POST" or not self._secret.is_in(environ["REQUEST_URI"]):
            return 404
        if not self._rate_limit.allows():
            return 429
        if "CONTENT_LENGTH" not in environ:
            return 411
        return self._on_callback(environ["wsgi.input"].read())
