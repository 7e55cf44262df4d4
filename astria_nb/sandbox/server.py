"""Starting and stopping a sandbox."""

import hashlib
import random
import secrets
import socket
import threading
from ipaddress import ip_address
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .callbacks import Courier, Delivery
from .clock import Clock, SteppedClock, WallClock
from .fault_rules import FaultRules
from .faults import Fault, Kind
from .guard import OWN_PREFIX, Guard
from .ledger import Ledger, Request
from .options import Options
from .state import State

if TYPE_CHECKING:
    from .uploads import Spool
    from .wire import HttpServer

_DETERMINISTIC_SECRET = hashlib.sha256(b"astria_nb sandbox").digest()


class SandboxServer:
    """A local HTTP service that behaves as the Astria API does.

    It lives in threads of this process. Nothing is charged, nothing leaves the machine, and everything is
    forgotten when it stops.

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
        self._state = State(self._clock, self.options)
        self._courier = Courier(self._clock, anywhere=self.options.callbacks_anywhere)
        chance = random.Random(0 if self.options.deterministic else None)  # noqa: S311 - no secret
        self._faults = FaultRules(chance)
        self._ledger = Ledger()
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
                raise RuntimeError("this sandbox was stopped and has forgotten everything; make a new one")
            if self._http is None:
                self._serve()
        return self

    def stop(self) -> None:
        """Hang up on every client, end every thread and remove every file."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
            if self._http is None or self._thread is None or self._spool is None:
                return
            self._http.shutdown()
            self._thread.join()
            self._http.server_close()
            self._http.hang_up()
            self._courier.stop()
            self._spool.close()

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

    @property
    def ledger(self) -> list[Request]:
        """Every request whose head arrived, oldest first, each as it stands."""
        return self._ledger.requests()

    def received(self) -> list[Request]:
        """Return every request that made a tune or prompts, oldest first."""
        return [request for request in self.ledger if request.tune_ids or request.prompt_ids]

    def fail(self, fault: Kind | Fault, route: str = "*", **rule: Any) -> Fault:
        """Let requests fail, behind the faults that are pending.

        Parameters
        ----------
        fault : str or Fault
            The kind, or a whole fault.
        route : str, default "*"
            Shell pattern over ``"METHOD /path"``.
        **rule
            The further fields of `Fault`: ``count, probability, after, commit, …``.

        Raises
        ------
        ValueError
            If a field has a value that it cannot take.
        TypeError
            If there is no such field, or a whole fault comes with fields.

        Notes
        -----
        A fault plays the network or the gateway: it strikes before the key is checked.

        Examples
        --------
        >>> sandbox = SandboxServer()
        >>> sandbox.fail("504", "POST /p/*/tunes", commit="yes").commit
        'yes'
        >>> [fault.kind for fault in sandbox.faults]
        ['504']
        """
        if not isinstance(fault, Fault):
            fault = Fault(fault, route, **rule)
        elif route != "*" or rule:
            raise TypeError("a whole Fault takes no further fields; use dataclasses.replace")
        self._faults.add(fault)
        return fault

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults that are pending, in their order, with what is left of their `count` and `after`."""
        return self._faults.pending()

    def heal(self) -> None:
        """Forget every fault that is pending; one that is being played goes on."""
        self._faults.clear()

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
        from .app import make_app
        from .pictures import Pictures
        from .routes import Service
        from .uploads import Spool
        from .views import Views
        from .wire import HttpServer

        options = self.options
        self._http = HttpServer(
            options.host, options.port, options.max_body, self._clock.now, self._faults, self._ledger
        )
        self._spool = Spool()
        secret = _DETERMINISTIC_SECRET if self.options.deterministic else secrets.token_bytes(32)
        pictures = Pictures(self.url, secret)
        views = Views(self.url, pictures, self.options)
        guard = Guard(self.api_key, self._hosts())
        self._http.app = make_app(
            Service(self.options, guard, self._state, self._spool, pictures, views, self._courier)
        )
        self._courier.start()
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(0.05,), name="astria-sandbox", daemon=True
        )
        self._thread.start()

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
