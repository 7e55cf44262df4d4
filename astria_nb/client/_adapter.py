"""HTTP connections that keep the current deadline at every step and never expose the key."""

from __future__ import annotations

import http
import http.client
import io
import os
import socket
import weakref
from collections.abc import Iterator, Mapping
from functools import cache
from time import monotonic
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.hooks import default_hooks
from requests.utils import select_proxy
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from astria_nb.client._api_key import ApiKey
from astria_nb.client._name_resolution import resolve
from astria_nb.client._network_settings import (
    bundle_variable,
    check_certificates,
    check_proxy,
    is_on_this_machine,
)
from astria_nb.client._refusals import REFUSALS
from astria_nb.client.deadline import Deadline, current_deadline
from astria_nb.utils import interrupts

_NEAR_SECONDS = 30  # to the deadline
# Below the shortest time that servers keep idle connections (Node 5 s, Puma 20, ALB 60, nginx 75): on a dead
# one, a paid request that never arrives looks as if its answer were lost.
_IDLE_SECONDS = 4.0
CONNECT_SECONDS = 10  # for name resolution, connection and TLS together


def new_session(key: ApiKey | None) -> ApiSession:
    """Return a session whose requests keep the current deadline and send a key, if there is one.

    Parameters
    ----------
    key : ApiKey or None
    """
    session = ApiSession(_Auth(key))
    session.headers["Accept"] = "application/json"
    session.headers["User-Agent"] = "astria_nb"
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Adapter(max_retries=0, pool_maxsize=16))
    return session


class _Auth(AuthBase):
    """Sets the key on each request. With an auth object, requests does not replace it from ``~/.netrc``."""

    def __init__(self, key: ApiKey | None) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key is not None:
            # The object, which hides the key; only the connection turns it into a header.
            request.headers["Authorization"] = self._key  # type: ignore[assignment]
        return request


class ApiSession(requests.Session):
    """A session whose requests are few and alike."""

    def __init__(self, auth: _Auth) -> None:
        super().__init__()
        self.auth: _Auth = auth

    def call(self, method: str, url: str, headers: Mapping[str, str], body: Any = None) -> requests.Response:
        """Send a request to the API, and return its answer, which is not read yet; no redirect is followed.

        requests' own preparation covers every kind of request, and takes as long as sending one.

        Parameters
        ----------
        method : str
        url : str
            As requests writes addresses: see `address_of`.
        headers : mapping of str to str
            Besides those of `new_session`.
        body : bytes or Body, optional
            Not empty.
        """
        request = requests.PreparedRequest()
        request.method, request.url, request.body, request.hooks = method, url, body, default_hooks()
        request.prepare_headers({**self.headers, **headers})
        request.prepare_content_length(body)
        if len(self.cookies):
            request.prepare_cookies(self.cookies)
        settings = self.merge_environment_settings(url, {}, stream=True, verify=None, cert=None)
        return self.send(self.auth(request), allow_redirects=False, **settings)

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Return a request with what `new_session` has set.

        requests merges all that a session can have, which takes longer than the rest of its preparation.
        """
        prepared = requests.PreparedRequest()
        prepared.prepare(
            method=request.method,
            url=request.url,
            headers={**self.headers, **request.headers},
            data=request.data,
            params=request.params,
            auth=self.auth,
            cookies=self.cookies,
        )
        return prepared

    def rebuild_auth(self, prepared_request: object, response: object) -> None:
        """Do nothing; requests would add what ``~/.netrc`` has for the host of a redirect."""

    def resolve_redirects(self, *args: Any, yield_requests: bool = False, **options: Any) -> Iterator[Any]:
        """Yield the answers of the redirects that are followed.

        requests prepares the next request even if it follows none, and raises where that is no address.
        """
        return iter(()) if yield_requests else super().resolve_redirects(*args, **options)

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """Return what the environment sets: no proxy to this machine, and OpenSSL's file of certificates."""
        if is_on_this_machine(str(url)):  # looking for proxies takes longer than the rest of a request
            settings: Any = {"proxies": {}, "stream": stream, "verify": self.verify, "cert": cert}
        else:
            settings = super().merge_environment_settings(url, proxies, stream, verify, cert)
        if self.verify is not True:
            settings["verify"] = self.verify  # requests would prefer the environment's
        elif variable := bundle_variable():
            settings["verify"] = os.environ[variable]
        return settings

    def rebuild_proxies(self, prepared_request: requests.PreparedRequest, proxies: Any) -> Any:
        """Return the proxies for a redirect, none for one to this machine."""
        if is_on_this_machine(prepared_request.url or ""):
            prepared_request.headers.pop("Proxy-Authorization", None)
            return {}
        return super().rebuild_proxies(prepared_request, proxies)  # type: ignore[no-untyped-call]


class _Adapter(HTTPAdapter):
    """Opens connections of class `_Connection`, directly or through a proxy."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        _adapters.add(self)

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        """Send a request, once its proxy and the certificates to trust are found to be usable."""
        url = request.url or ""
        proxies = options.get("proxies")
        if proxies and (proxy := select_proxy(url, proxies)):
            check_proxy(url, proxy)
        if url.lower().startswith("https:"):
            check_certificates()
        return super().send(request, **options)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        _use_deadlines(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        is_new = proxy not in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **options)
        if is_new:
            _use_deadlines(manager)
        return manager


_adapters: weakref.WeakSet[_Adapter] = weakref.WeakSet()
_of_parent: list[object] = []


def _leave_connections_to_parent() -> None:
    """Let a forked child open its own connections: on a shared one, each might read the other's answers."""
    for adapter in list(_adapters):
        # Kept, not closed: a thread that the child does not have may hold their locks.
        _of_parent.append((adapter.poolmanager, adapter.proxy_manager))
        state = adapter.__getstate__()  # without the connections
        adapter.__setstate__(state)  # type: ignore[attr-defined]  # missing from the stubs


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_connections_to_parent)


def address_of(base_url: str) -> str:
    """Return an address as requests writes it: its host may have other letters than those of ASCII."""
    return (requests.Request("GET", base_url).prepare().url or "").rstrip("/")


def _use_deadlines(manager: PoolManager) -> None:
    pools = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _pool_with_deadlines(pool) for scheme, pool in pools.items()}


@cache
def _pool_with_deadlines(pool: Any) -> Any:
    # A SOCKS proxy has its own way to open a connection.
    is_direct = pool.ConnectionCls._new_conn is HTTPConnection._new_conn
    connection = type("Connection", (_DirectConnection if is_direct else _Connection, pool.ConnectionCls), {})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


def _limit(sock: socket.socket) -> None:
    """Let a socket wait until the deadline; a distant one is kept to the second.

    Each change of the limit is a system call, for which Python lets other threads run.
    """
    remaining, limit = current_deadline().remaining(), sock.gettimeout()
    is_near = remaining < _NEAR_SECONDS
    if is_near or limit is None or not remaining - 1 < limit < remaining + 1:
        sock.settimeout(remaining)


class _Stream(io.RawIOBase):
    """Reads from a socket; each read has the rest of the deadline as its timeout."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return a buffered reader, as a socket does."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        interrupts.blocks_on(self._sock)
        _limit(self._sock)
        count = self._raw.readinto(buffer)
        if not count:  # what an interrupt leaves; an answer that has arrived is not thrown away
            interrupts.raise_if_interrupted()
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(_Stream(sock), *args, **options)  # type: ignore[arg-type]  # only makefile is used

    def begin(self) -> None:
        """Read the head of the answer; informational answers before it are skipped."""
        super().begin()
        # http.client skips 100 only: any other would be taken for the answer, and the answer for that of the
        # next request.
        while 100 <= self.status < 200 and self.status != http.HTTPStatus.SWITCHING_PROTOCOLS:
            self.headers = self.msg = None  # type: ignore[assignment]  # as before the first head
            super().begin()
        # urllib3 would log what is no header, in the words of the server, which may repeat the key.
        self.headers.set_payload("")
        self.headers.defects.clear()
        if not (200 <= self.status < 300 or self.status in REFUSALS):
            self.will_close = True  # who sent this, and what follows it, is not certain


class _Connection(HTTPConnection):
    """A connection that keeps the deadline at every step, from name resolution to the last byte."""

    response_class = _Response
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
        with Deadline(CONNECT_SECONDS) as deadline:
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
        _limit(self.sock)
        super().send(data)
        self._sent_at = monotonic()

    def getresponse(self) -> Any:
        deadline = current_deadline()
        deadline.start_answer_timer()
        self.timeout = deadline.remaining()
        return super().getresponse()


class _DirectConnection(_Connection):
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
