"""Fetching an image that a client named, and nothing else: no way into the network that the sandbox is in."""

import http.client
import queue
import re
import socket
import ssl
import threading
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from astria_nb.sandbox.uploads.deadline_socket import Patience, PatientSocket
from astria_nb.sandbox.uploads.public_address import is_public
from astria_nb.sandbox.uploads.spool import Spool, Upload

MAX_BYTES = 64 * 2**20
TIMEOUT = 20.0
_MAX_REDIRECTS = 3
_PORTS = {"http": 80, "https": 443}
_URL = re.compile(
    r"[!-\[\]-~]{1,4096}"
)  # visible ASCII without the backslash, which readers of URLs differ on
_HOST = re.compile(r"[a-z0-9._:-]+")
_HEADERS = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "astria-nb-sandbox"}


class FetchError(Exception):
    """Why an image could not be downloaded, in a few words that can be shown to the client."""


@dataclass(frozen=True)
class _Target:
    """An address that was read, and found fit to ask for."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        return f"{self._written_host}:{self.port}"

    @property
    def host_header(self) -> str:
        return self._written_host if self.port == _PORTS["https" if self.secure else "http"] else self.netloc

    @property
    def _written_host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


def fetch(
    url: str,
    *,
    spool: Spool,
    allowed_hosts: Collection[str] = (),
    max_bytes: int = MAX_BYTES,
    timeout: float = TIMEOUT,
    stopped: threading.Event | None = None,
) -> Upload:
    """Download a file.

    Parameters
    ----------
    url : str
        Its address: http or https, without user and password, percent-encoded.
    spool : Spool
        Where to keep it.
    allowed_hosts : collection of str
        Hosts to fetch from although they are not public, as ``"host:port"`` written like in the URL, the port
        always: ``"127.0.0.1:8000"``, ``"[::1]:8000"``. All others must have public addresses only.
    max_bytes : int
        The longest file to accept.
    timeout : float
        Seconds for all of it: names, redirects, the last byte.
    stopped : threading.Event, optional
        Breaks it off when set.

    Returns
    -------
    Upload
        The file, named after the last part of `url`. Whether it is an image is not looked at.

    Raises
    ------
    FetchError
        Whatever goes wrong.

    Notes
    -----
    A name is looked up once, every address that it has is checked, and the connection goes to one of those.
    At most three redirects are followed, each checked as if a client had named it. Neither cookies nor
    keys are sent, and proxies of the environment are not used.
    """
    patience = Patience(timeout, stopped)
    allowed = {host.lower() for host in allowed_hosts}
    filename = _filename(url)
    for _ in range(_MAX_REDIRECTS + 1):
        target = _read(url)
        with _plainly():
            connection = _connect(target, allowed, patience)
        with closing(connection):
            with _plainly():
                response = _ask(connection, target)
            if response.status == 200:
                return spool.save(filename, _content(response, max_bytes))
            location = response.getheader("Location")
        if response.status not in (301, 302, 303, 307, 308) or not location:
            raise FetchError(f"the server answered {response.status}")
        url = _joined(url, location)
    raise FetchError("it redirects too often")


@contextmanager
def _plainly() -> Iterator[None]:
    """Say in plain words what a connection raises, and nothing of where it went."""
    try:
        yield
    except InterruptedError:
        raise FetchError("the sandbox was stopped") from None
    except TimeoutError:
        raise FetchError("it took too long") from None
    except ssl.SSLError:
        raise FetchError("the server cannot be trusted: no valid certificate for its name") from None
    except (OSError, http.client.HTTPException):
        raise FetchError("the connection failed") from None


def _read(url: str) -> _Target:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise FetchError("it is not a valid URL") from None
    if parts.scheme not in _PORTS:
        raise FetchError("it is not an http or https URL")
    if "@" in parts.netloc:
        raise FetchError("it holds a user or password")
    host = parts.hostname or ""
    if not _URL.fullmatch(url) or not _HOST.fullmatch(host) or port == 0:
        raise FetchError("it is not a valid URL")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Target(parts.scheme == "https", host, port or _PORTS[parts.scheme], path)


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise FetchError("it redirects to no valid URL") from None


def _connect(target: _Target, allowed: set[str], patience: Patience) -> PatientSocket:
    addresses = _look_up(target, patience)
    if target.netloc not in allowed and not all(is_public(str(address[0])) for _, address in addresses):
        raise FetchError("its host is not public")
    failure = OSError("no address")
    for family, address in addresses:
        try:
            connection = PatientSocket(socket.socket(family, socket.SOCK_STREAM), address, patience)
        except (InterruptedError, TimeoutError):
            raise
        except OSError as error:
            failure = error
            continue
        if target.secure:
            try:
                connection.secure(_tls(), target.host)
            except BaseException:
                connection.close()
                raise
        return connection
    raise failure


def _look_up(target: _Target, patience: Patience) -> list[tuple[int, tuple[Any, ...]]]:
    """Return family and address of all that a host has; a resolver that hangs is left behind."""
    answers: queue.SimpleQueue[list[tuple[int, tuple[Any, ...]]]] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):  # the second of a name that is too long
            found = []
        answers.put([(int(family), address) for family, _, _, _, address in found])

    thread = threading.Thread(target=ask, name="astria-sandbox-resolver", daemon=True)
    thread.start()
    while True:
        try:
            addresses = answers.get(timeout=patience.slice())
        except queue.Empty:
            continue
        thread.join()
        if not addresses:
            raise FetchError("its host is not known")
        return addresses


def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _ask(connection: PatientSocket, target: _Target) -> http.client.HTTPResponse:
    request = http.client.HTTPConnection(target.host, target.port)
    request.sock = connection
    request.request("GET", target.path, headers={"Host": target.host_header, **_HEADERS})
    response = http.client.HTTPResponse(connection, method="GET")  # type: ignore[arg-type]  # all that it uses
    response.begin()
    return response


def _content(response: http.client.HTTPResponse, max_bytes: int) -> Iterator[bytes]:
    if response.getheader("Content-Encoding", "identity").lower() != "identity":
        raise FetchError("the server sent it compressed")
    if response.getheader("Transfer-Encoding", "chunked").lower() != "chunked":
        raise FetchError("the server sent it in an unknown encoding")
    left = max_bytes
    while left >= (response.length or 0):
        with _plainly():
            piece = response.read1(64 * 1024)
        if not piece:
            if response.length:
                raise FetchError("the connection broke off")
            return
        left -= len(piece)
        if left < 0:
            break
        yield piece
    raise FetchError(f"it is longer than {max_bytes} bytes")


def _filename(url: str) -> str:
    """Return the last part of the path, as a client would have named the file."""
    name = unquote(url.partition("?")[0].partition("#")[0].rpartition("/")[2])
    return "".join(sign for sign in name if sign.isprintable())[-100:] or "image"
