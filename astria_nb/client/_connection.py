"""A connection that keeps the current deadline at every step, and never exposes the key."""

from __future__ import annotations

import socket
from time import monotonic
from typing import Any

from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from astria_nb.client._api_key import ApiKey
from astria_nb.client._http_response import DeadlineResponse
from astria_nb.client._name_resolution import resolve
from astria_nb.client.deadline import Deadline, current_deadline, limit_socket
from astria_nb.utils import interrupts

# Below the shortest time that servers keep idle connections (Node 5 s, Puma 20, ALB 60, nginx 75): on a dead
# one, a paid request that never arrives looks as if its answer were lost.
_IDLE_SECONDS = 4.0
_CONNECT_SECONDS = 10  # for name resolution, connection and TLS together


class DeadlineConnection(HTTPConnection):
    """A connection that keeps the deadline at every step, from name resolution to the last byte."""

    response_class = DeadlineResponse
    # http.client.debuglevel would print every header that is sent, and so the key.
    debuglevel = 0
    _sent_at = 0.0

    @property
    def is_connected(self) -> bool:
        """Whether the pool may use it again."""
        return monotonic() - self._sent_at < _IDLE_SECONDS and super().is_connected

    def set_debuglevel(self, level: int) -> None:
        """Do nothing: debug output would contain the key."""

    def connect(self) -> None:
        with Deadline(_CONNECT_SECONDS) as deadline:
            self.timeout = deadline.remaining()
            try:
                super().connect()
            except TimeoutError as error:  # in TLS or at a proxy; urllib3 would report a read timeout
                raise ConnectTimeoutError(self, "no connection in time") from error

    def putheader(self, header: Any, *values: Any) -> None:
        if isinstance(values[0], ApiKey):
            values = (values[0].bearer(),)
        super().putheader(header, *values)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        interrupts.blocks_on(self.sock)
        limit_socket(self.sock)
        super().send(data)
        self._sent_at = monotonic()

    def getresponse(self) -> Any:
        deadline = current_deadline()
        deadline.start_answer_timer()
        self.timeout = deadline.remaining()
        return super().getresponse()


class DirectConnection(DeadlineConnection):
    """A connection to the host itself, of which each address is tried."""

    def _new_conn(self) -> socket.socket:
        failure: Exception = NewConnectionError(self, "the host has no address")
        try:
            addresses = resolve(self._dns_host, self.port, current_deadline().remaining())
            for index, address in enumerate(addresses):
                try:
                    # An address that does not answer leaves time for the next ones.
                    share = current_deadline().remaining() / (len(addresses) - index)
                    return self._connect_to(address, share)
                except OSError as error:
                    failure = error
            raise failure
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "no connection in time") from error
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(self, f"no connection: {error}") from error

    def _connect_to(self, address: str, seconds: float) -> socket.socket:
        sock = create_connection((address, self.port), seconds, self.source_address, self.socket_options)
        sock.settimeout(current_deadline().remaining())  # for the TLS handshake
        return sock
