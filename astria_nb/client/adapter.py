"""Connections that keep a deadline at every step, and a key to themselves."""

from __future__ import annotations

import http.client
import io
import queue
import socket
import threading
from functools import cache
from ipaddress import ip_address
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from astria_nb.client.api_key import ApiKey
from astria_nb.client.deadline import Deadline, current

CONNECT_SECONDS = 10  # for the address, the connection and TLS together


def new_session(key: ApiKey | None) -> requests.Session:
    """Return a session whose requests keep the current deadline; with a key, it is sent with each of them."""
    session = _Session()
    session.auth = _Auth(key)
    session.headers["Accept"] = "application/json"
    session.headers["User-Agent"] = "astria_nb"
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Adapter(max_retries=0, pool_maxsize=16))
    return session


class _Auth(AuthBase):
    """Sets the key on each request. An auth object of our own keeps ``~/.netrc`` from replacing it."""

    def __init__(self, key: ApiKey | None) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key is not None:
            # The object, which cannot be read; only the connection makes a header's text of it.
            request.headers["Authorization"] = self._key  # type: ignore[assignment]
        return request


class _Session(requests.Session):
    def rebuild_auth(self, prepared_request: object, response: object) -> None:
        """Leave a redirected request as it is; requests would add what ``~/.netrc`` has for the new host."""


class _Adapter(HTTPAdapter):
    """Makes the connections through `_Timed`, straight ones as well as those through a proxy."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        _use_timed(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **options)
        if not known:
            _use_timed(manager)
        return manager


def _use_timed(manager: PoolManager) -> None:
    pools = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _timed_pool(pool) for scheme, pool in pools.items()}


@cache
def _timed_pool(pool: Any) -> Any:
    # A proxy of another kind (SOCKS) opens its connections in a way of its own.
    straight = pool.ConnectionCls._new_conn is HTTPConnection._new_conn
    timed = type("Connection", (_Straight if straight else _Timed, pool.ConnectionCls), {})
    return type(pool.__name__, (pool,), {"ConnectionCls": timed})


class _Stream(io.RawIOBase):
    """What comes from a socket; each read has only the time that is left."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Be read as a socket is."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(current().left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(_Stream(sock), *args, **options)  # type: ignore[arg-type]  # only makefile is used


class _Timed(HTTPConnection):
    """A connection whose every step has only the time that is left, from its address to the last byte."""

    response_class = _Response
    # http.client would print each header that is sent, with the key; whoever turns that on means other calls.
    debuglevel = 0

    def set_debuglevel(self, level: int) -> None:
        """Stay silent."""

    def connect(self) -> None:
        with Deadline(CONNECT_SECONDS) as deadline:
            self.timeout = deadline.left()
            try:
                super().connect()
            except TimeoutError as error:  # of TLS or a proxy; urllib3 would take it for one of the answer
                raise ConnectTimeoutError(self, "no connection in time") from error

    def putheader(self, header: Any, *values: Any) -> None:
        super().putheader(header, *(each.bearer() if isinstance(each, ApiKey) else each for each in values))

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self.sock.settimeout(current().left())
        super().send(data)

    def getresponse(self) -> Any:
        deadline = current()
        deadline.wait_for_answer()
        self.timeout = deadline.left()
        return super().getresponse()


class _Straight(_Timed):
    def _new_conn(self) -> socket.socket:
        failure: Exception = NewConnectionError(self, "it has no address")
        try:
            hosts = _addresses(self._dns_host, self.port, current().left())
            for tried, host in enumerate(hosts):
                try:
                    return self._connected(host, current().left() / (len(hosts) - tried))
                except OSError as error:
                    failure = error
            raise failure
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "no connection in time") from error
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(self, f"no connection: {error}") from error

    def _connected(self, host: str, seconds: float) -> socket.socket:
        sock = create_connection((host, self.port), seconds, self.source_address, self.socket_options)
        sock.settimeout(current().left())  # for the TLS handshake
        return sock


def _addresses(host: str, port: int, seconds: float) -> list[str]:
    """Return the addresses of a host. The system cannot be told how long to look, so a thread does it."""
    try:
        return [str(ip_address(host.strip("[]")))]
    except ValueError:
        pass
    found: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def look() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.put(list(dict.fromkeys(str(address[0]) for *_, address in entries)))
        except Exception as error:  # noqa: BLE001  raised where it is awaited
            found.put(error)

    # It ends with the look-up, which the system itself gives up in the end.
    thread = threading.Thread(target=look, name="astria_nb look-up", daemon=True)
    thread.start()
    try:
        outcome = found.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError("no address in time") from None
    thread.join()
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
