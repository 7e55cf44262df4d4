"""Starting and stopping a sandbox."""

import hashlib
import secrets
import socket
import threading
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .callbacks import Courier, Delivery
from .clock import SECOND, Clock, SteppedClock, WallClock
from .guard import OWN_PREFIX, Guard
from .options import Options
from .state import State
from .store import Store

if TYPE_CHECKING:
    from .uploads import Spool
    from .wire import HttpServer

_DETERMINISTIC_SECRET = hashlib.sha256(b"astria_nb sandbox").digest()


class SandboxServer:
    """A local HTTP service that behaves as the Astria API does.

    It lives in threads of this process. Nothing is charged and nothing leaves the machine; all is forgotten
    when it stops, unless the option `data` names a folder.

    Parameters
    ----------
    **options
        The fields of `Options`: ``host, port, api_key, speed, deterministic`` and every behaviour that the
        API's documents leave open.

    Raises
    ------
    ValueError
        If an option has a value that it cannot take, or `host` would open the sandbox to other machines
        without being written as an IP address.
    TypeError
        If there is no such option.

    Examples
    --------
    >>> with SandboxServer(deterministic=True) as sandbox:
    ...     sandbox.url.startswith("http://127.0.0.1:"), sandbox.api_key.startswith("sd_sandbox_")
    (True, True)
    """

    def __init__(self, **options: Any) -> None:
        self.options = Options(**options)
        _check_host(self.options.host)
        self.api_key = self.options.api_key or OWN_PREFIX + secrets.token_hex(12)
        self._clock: Clock = SteppedClock() if self.options.deterministic else WallClock(self.options.speed)
        self._store = Store(Path(self.options.data)) if self.options.data is not None else None
        self._state = State(self._clock, self.options, self._store)
        self._courier = Courier(self._clock, anywhere=self.options.callbacks_anywhere)
        self._lock = threading.Lock()
        self._http: HttpServer | None = None
        self._spool: Spool | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False

    def start(self) -> Self:
        """Serve, if it does not already; return when connections are accepted.

        Raises
        ------
        OSError
            If the port is taken.
        RuntimeError
            If it was stopped; make a new one instead.
        """
        with self._lock:
            if self._stopped:
                raise RuntimeError("this sandbox was stopped; make a new one")
            if self._http is None:
                self._serve()
        return self

    def stop(self) -> None:
        """Hang up on every client, end every thread and remove every file."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
            if self._http and self._thread and self._spool:
                self._http.shutdown()
                self._thread.join()
                self._http.server_close()
                self._http.hang_up()
                self._courier.stop()
                self._spool.close()
            if self._store:
                self._store.close()

    @property
    def url(self) -> str:
        """Where it answers, e.g. ``http://127.0.0.1:41223``.

        Raises
        ------
        RuntimeError
            If it was never started.
        """
        if self._http is None:
            raise RuntimeError("the sandbox has no address before start()")
        return f"http://{self._netloc()}"

    @property
    def deliveries(self) -> list[Delivery]:
        """What became of each callback so far."""
        return self._courier.deliveries

    def advance(self, seconds: float) -> None:
        """Move the service's clock on, e.g. by 31 days to see what expires.

        Examples
        --------
        >>> with SandboxServer(deterministic=True) as sandbox:
        ...     sandbox.advance(31 * 86_400)
        """
        self._state.advance(round(seconds * SECOND))
        self._courier.wake()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "stopped" if self._stopped else "running" if self._http else "not started"
        address = f"url={self.url!r}, " if self._http else ""
        return f"SandboxServer({address}api_key='sd_…{self.api_key[-4:]}', {state})"

    def _serve(self) -> None:
        # Flask and Pillow are slow to import, and a program that imports the sandbox may never start one.
        from .announcer import Announcer
        from .app import make_app
        from .pack_views import PackViews
        from .pictures import Pictures
        from .service import Service
        from .uploads import Spool
        from .views import Views
        from .wire import HttpServer

        self._http = HttpServer(self.options.host, self.options.port, self.options.max_body, self._clock.now)
        self._spool = Spool(Path(self.options.data) / "files" if self.options.data is not None else None)
        pictures = Pictures(self.url, self._secret(), self._clock.now)
        views = Views(self.url, pictures, self._state, self.options)
        announcer = Announcer(self._courier, self._state, views, self.options)
        self._http.app = make_app(
            Service(
                self.options,
                Guard(self.api_key, self._hosts()),
                self._state,
                self._spool,
                pictures,
                views,
                PackViews(pictures, self._state, self.options),
                announcer,
            )
        )
        views.publish_all()
        announcer.announce(self._state.pending)
        self._courier.start()
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(0.05,), name="astria-sandbox", daemon=True
        )
        self._thread.start()

    def _secret(self) -> bytes:
        """Return what picture addresses are derived from: the same again after a restart."""
        if self.options.deterministic:
            return _DETERMINISTIC_SECRET
        if self._store is None:
            return secrets.token_bytes(32)
        kept = self._store.fact("secret") or secrets.token_hex(32)
        self._store.save([], {"secret": kept})
        return bytes.fromhex(kept)

    def _netloc(self) -> str:
        """Return the address to connect to; that of every interface is none."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.options.host, self.options.host)  # noqa: S104 - not bound here
        return f"[{host}]:{self._port()}" if ":" in host else f"{host}:{self._port()}"

    def _port(self) -> int:
        assert self._http is not None
        return int(self._http.server_address[1])

    def _hosts(self) -> set[str]:
        own = {f"{name}:{self._port()}" for name in ("127.0.0.1", "localhost", "[::1]")}
        return own | {self._netloc()} | set(self.options.allowed_hosts)


def _check_host(host: str) -> None:
    """Let a name stand for loopback only: other machines get in through an address written out."""
    try:
        ip_address(host)
        return
    except ValueError:
        pass
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, None)} if host else set()
    except OSError:
        found = set()
    if not found or not all(ip_address(address).is_loopback for address in found):
        raise ValueError(
            f"host: {host!r} is not a loopback address; to open the sandbox to other machines, "
            "give the IP address to bind"
        )
