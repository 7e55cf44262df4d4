"""Download images that a client named by URL, from hosts that the sandbox's owner named."""

import re
import threading
import time
from collections.abc import Collection, Iterator
from concurrent.futures import Future
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, LocationParseError, NameResolutionError, ReadTimeoutError

from astria_nb.sandbox.uploads._cancellable_adapter import CancellableAdapter
from astria_nb.sandbox.uploads._spool import Spool, Upload

MAX_BYTES = 64 * 2**20
TIMEOUT = 20.0
_MAX_REDIRECTS = 3
_POLL_SECONDS = 0.1
_PORTS = {"http": 80, "https": 443}
_URL = re.compile(r"[!-\[\]-~]{1,4096}")  # visible ASCII without the backslash, which URL parsers differ on
_HOST = re.compile(r"[a-z0-9._:-]+")
_HEADERS = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "astria-nb-sandbox"}


class FetchError(Exception):
    """Why an image could not be downloaded, in a few words that can be shown to the client."""


def fetch(
    url: str,
    *,
    spool: Spool,
    hosts: Collection[str],
    max_bytes: int = MAX_BYTES,
    timeout: float = TIMEOUT,
    stopped: threading.Event | None = None,
) -> Upload:
    """Download a file.

    Parameters
    ----------
    url : str
        An http or https URL, percent-encoded, without user and password.
    spool : Spool
        Where to store the file.
    hosts : collection of str
        The only hosts to connect to, as in a URL: ``"example.com"`` for the default port of http and of
        https, ``"127.0.0.1:8000"`` for another one.
    max_bytes : int
        The largest file to accept.
    timeout : float
        Seconds for everything, redirects included.
    stopped : threading.Event, optional
        Ends the download when set.

    Returns
    -------
    Upload
        The file, named after the last part of `url`. It may not be an image.

    Raises
    ------
    FetchError
        If it could not be downloaded.

    Notes
    -----
    At most three redirects are followed, to named hosts only. No cookies or keys are sent, and the proxies
    and ``.netrc`` of the environment are not used.
    """
    adapter = CancellableAdapter()
    deadline = time.monotonic() + timeout
    outcome: Future[Upload] = Future()

    def download() -> None:
        try:
            with _session(adapter) as session, _follow(session, url, hosts, deadline) as response:
                pieces = _content(response, max_bytes, adapter)
                outcome.set_result(spool.save(_filename(url), pieces))
        except BaseException as error:  # noqa: BLE001 - raised again where the result is awaited
            outcome.set_exception(error)

    thread = threading.Thread(target=download, name="astria-sandbox-download", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_POLL_SECONDS)
        if stopped is not None and stopped.is_set():
            return _cancel(thread, adapter, outcome, "the sandbox was stopped")
        if time.monotonic() > deadline:
            return _cancel(thread, adapter, outcome, "it took too long")
    return outcome.result()


def _cancel(
    thread: threading.Thread, adapter: CancellableAdapter, outcome: Future[Upload], reason: str
) -> Upload:
    """Cut a download off; return the file if it was complete just now."""
    for _ in range(10):
        adapter.cancel()
        thread.join(_POLL_SECONDS)
        if not thread.is_alive():
            break
    # A thread that still waits for the resolver cannot be interrupted; the adapter refuses what it does next.
    if outcome.done() and outcome.exception() is None:
        return outcome.result()
    raise FetchError(reason)


def _session(adapter: HTTPAdapter) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers = requests.structures.CaseInsensitiveDict(_HEADERS)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in _PORTS:
        session.mount(f"{scheme}://", adapter)
    return session


def _follow(
    session: requests.Session, url: str, hosts: Collection[str], deadline: float
) -> requests.Response:
    """Return the response at the end of the redirects; its body is not read yet."""
    allowed = {host.lower() for host in hosts}
    for _ in range(_MAX_REDIRECTS + 1):
        _check(url, allowed)
        response = _get(session, url, max(0.01, deadline - time.monotonic()))
        if response.status_code == 200:
            return response
        response.close()
        if not response.is_redirect:
            raise FetchError(f"the server answered {response.status_code}")
        url = urljoin(url, response.headers["Location"])
    raise FetchError("it redirects too often")


def _get(session: requests.Session, url: str, timeout: float) -> requests.Response:
    """Request a URL; errors say nothing about where the connection went."""
    try:
        return session.get(url, timeout=timeout, stream=True, allow_redirects=False)
    except requests.Timeout:
        raise FetchError("it took too long") from None
    except requests.exceptions.SSLError:
        raise FetchError("the server cannot be trusted: no valid certificate for its name") from None
    except (requests.RequestException, LocationParseError) as error:  # the latter of a name that is too long
        reason = getattr(error.args[0], "reason", error) if error.args else error
        unknown = isinstance(reason, NameResolutionError | LocationParseError)
        raise FetchError("its host is not known" if unknown else "the connection failed") from None
    except ValueError:  # requests parses the address of a redirect, although it does not follow it
        raise FetchError("it redirects to an invalid URL") from None


def _check(url: str, allowed: Collection[str]) -> None:
    """Check that a URL is valid, and its host one of those that were named."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise FetchError("it is not a valid URL") from None
    if parts.scheme not in _PORTS:
        raise FetchError("it is not an http or https URL")
    if "@" in parts.netloc:
        raise FetchError("it holds a user or password")
    if not _URL.fullmatch(url) or not _HOST.fullmatch(parts.hostname or "") or port == 0:
        raise FetchError("it is not a valid URL")
    if not _names(parts, port) & set(allowed):
        raise FetchError("the sandbox does not download from its host (see fetch_urls)")


def _names(parts: SplitResult, port: int | None) -> set[str]:
    """Return the ways to name the host of a URL: the default port of its scheme may be left out."""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    default = _PORTS[parts.scheme]
    return {f"{host}:{port or default}"} | ({host} if port in (None, default) else set())


def _content(response: requests.Response, max_bytes: int, adapter: CancellableAdapter) -> Iterator[bytes]:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchError("the server sent it compressed")
    if response.headers.get("Transfer-Encoding", "chunked").lower() != "chunked":
        raise FetchError("the server sent it in an unknown encoding")
    size = 0
    while True:
        try:
            piece = response.raw.read1(64 * 1024)
        except ReadTimeoutError:
            raise FetchError("it took too long") from None
        except (HTTPError, OSError):
            raise FetchError("the connection broke off") from None
        if adapter.cancelled:  # what was cut off looks like a regular end
            raise FetchError("it was cancelled")
        if not piece:
            return
        size += len(piece)
        if size > max_bytes:
            raise FetchError(f"it is longer than {max_bytes} bytes")
        yield piece


def _filename(url: str) -> str:
    """Return the last part of a URL's path, as a client would name the file."""
    name = unquote(url.partition("?")[0].partition("#")[0].rpartition("/")[2])
    return "".join(character for character in name if character.isprintable())[-100:] or "image"
