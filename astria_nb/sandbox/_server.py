"""The sandbox: start it, stop it, simulate failures, and inspect the requests it received."""

import hashlib
import random
import secrets
import threading
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from astria_nb.sandbox._clock import LATEST, SECOND, Clock, SteppedClock, WallClock
from astria_nb.sandbox._option_checks import check_range, check_type
from astria_nb.sandbox._options import Options
from astria_nb.sandbox.callbacks import Courier, Delivery
from astria_nb.sandbox.faults import Fault, FaultRules, Kind
from astria_nb.sandbox.http import OWN_PREFIX, Ledger, ReceivedRequest, check_host
from astria_nb.sandbox.model import State, Store

if TYPE_CHECKING:
    from astria_nb.sandbox._running_server import RunningServer

_DETERMINISTIC_SECRET = hashlib.sha256(b"astria_nb sandbox").digest()


class SandboxServer:
    """A local HTTP service that behaves like the Astria API.

    It runs in threads of this process. Nothing is charged, and nothing is sent to other machines unless
    options allow it. Its data is lost when it stops, unless the option `data` names a folder.

    Parameters
    ----------
    **options : object
        The fields of `Options`: ``host, port, api_key, speed, deterministic`` and every behaviour that the
        API's documentation leaves open.

    Raises
    ------
    ValueError
        If an option has an invalid value, or `host` is a name that would open the sandbox to other machines:
        for that, give an IP address.
    TypeError
        If there is no such option.

    Examples
    --------
    >>> from astria_nb.sandbox import SandboxServer
    >>> with SandboxServer(deterministic=True) as sandbox:
    ...     sandbox.url.startswith("http://127.0.0.1:"), sandbox.api_key.startswith("sd_sandbox_")
    (True, True)
    """

    def __init__(self, **options: Any) -> None:
        self._running: RunningServer | None = None  # first: tracebacks show incomplete objects, too
        self._stopped, self.api_key = False, ""
        self.options = Options.read(options)
        check_host(self.options.host)
        self.api_key = self.options.api_key or OWN_PREFIX + secrets.token_hex(12)
        self._clock: Clock = SteppedClock() if self.options.deterministic else WallClock(self.options.speed)
        self._store = Store(Path(self.options.data)) if self.options.data is not None else None
        self._state = State(self._clock, self.options, self._store)
        self._courier = Courier(self._clock, anywhere=self.options.callbacks_anywhere)
        rng = random.Random(0 if self.options.deterministic else None)  # noqa: S311 - no secret
        self._faults = FaultRules(rng)
        self._ledger = Ledger()
        self._lock = threading.Lock()

    def start(self) -> Self:
        """Start serving, unless it already does; return when connections are accepted.

        Returns
        -------
        SandboxServer
            This sandbox.

        Raises
        ------
        OSError
            If the port is in use.
        RuntimeError
            If it was stopped: a sandbox cannot be started again.
        """
        with self._lock:
            if self._stopped:
                raise RuntimeError("this sandbox was stopped; make a new one")
            if self._running is None:
                # Flask and Pillow are slow to import, and a program may never start a sandbox.
                from astria_nb.sandbox._running_server import RunningServer

                self._running = RunningServer(
                    self.options,
                    self.api_key,
                    clock=self._clock,
                    state=self._state,
                    courier=self._courier,
                    faults=self._faults,
                    ledger=self._ledger,
                    picture_secret=self._picture_secret(),
                )
        return self

    def stop(self) -> None:
        """Close all connections, end all threads and remove temporary files."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
            if self._running:
                self._running.stop()
            if self._store:
                self._store.close()

    @property
    def url(self) -> str:
        """The base URL, e.g. ``http://127.0.0.1:41223``.

        Raises
        ------
        RuntimeError
            If it was never started.
        """
        if self._running is None:
            raise RuntimeError("the sandbox has no address before start()")
        return self._running.url

    @property
    def deliveries(self) -> list[Delivery]:
        """The result of each callback so far (list of `Delivery`), in the order in which they ended."""
        return self._courier.deliveries

    def advance(self, seconds: float) -> None:
        """Move the service's clock forward, e.g. by 31 days to see what expires.

        Parameters
        ----------
        seconds : float
            By how much.

        Raises
        ------
        ValueError
            If it is not a number, is negative, or would move the clock beyond the year 8999.

        Examples
        --------
        >>> import astria_nb as anb
        >>> with anb.Sandbox(deterministic=True) as sandbox:
        ...     sandbox.advance(31 * 86_400)
        """
        check_type("seconds", float, seconds)
        left = (LATEST - self._state.now()) / SECOND
        check_range("seconds", seconds, 0 <= seconds <= left, f"0 to {left:.0f}, which is the year 9000")
        self._state.advance(round(seconds * SECOND))
        self._courier.wake()

    @property
    def ledger(self) -> list[ReceivedRequest]:
        """Every request whose head has arrived (list of `ReceivedRequest`), oldest first."""
        return self._ledger.requests()

    def received(self) -> list[ReceivedRequest]:
        """Return every request that created a tune or prompts, oldest first.

        Returns
        -------
        list of ReceivedRequest

        Examples
        --------
        >>> import requests, astria_nb as anb
        >>> run = {"tune[title]": "t", "tune[name]": "cat", "tune[image_urls][]": "https://example.com/1.jpg"}
        >>> with anb.Sandbox(deterministic=True) as sandbox:
        ...     key = {"Authorization": f"Bearer {sandbox.api_key}"}
        ...     answer = requests.post(f"{sandbox.url}/p/43/tunes", run, headers=key, timeout=60)
        ...     [(request.status, request.tune_ids) for request in sandbox.received()]
        [(201, (1000001,))]
        """
        return [request for request in self.ledger if request.tune_ids or request.prompt_ids]

    def fail(self, fault: Kind | Fault, route: str = "*", **rule: Any) -> Fault:
        """Make requests fail. The fault is added after the pending ones.

        Parameters
        ----------
        fault : str or Fault
            The kind of the fault, or a complete `Fault`.
        route : str, default "*"
            Shell pattern over ``"METHOD /path"``.
        **rule : object
            Further fields of `Fault`: ``count, probability, after, commit, …``.

        Returns
        -------
        Fault
            The fault that was added.

        Raises
        ------
        ValueError
            If a field has an invalid value.
        TypeError
            If there is no such field, or a complete `Fault` is given together with fields.

        Notes
        -----
        Faults imitate the network or a gateway: they take effect before the key is checked.

        Examples
        --------
        >>> import astria_nb as anb
        >>> sandbox = anb.Sandbox()
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
        """The pending faults in order, with their remaining `count` and `after`."""
        return self._faults.pending()

    def heal(self) -> None:
        """Remove all pending faults; those that are being played continue.

        Examples
        --------
        >>> import astria_nb as anb
        >>> sandbox = anb.Sandbox()
        >>> fault = sandbox.fail("429", retry_after="3")
        >>> sandbox.heal()
        >>> sandbox.faults
        ()
        """
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
        state = "stopped" if self._stopped else "running" if self._running else "not started"
        address = f"url={self.url!r}, " if self._running else ""
        return f"SandboxServer({address}api_key='sd_…{self.api_key[-4:]}', {state})"

    def _picture_secret(self) -> bytes:
        """Return the key from which the URLs of pictures are derived; with `data`, it outlives a restart."""
        if self.options.deterministic:
            return _DETERMINISTIC_SECRET
        if self._store is None:
            return secrets.token_bytes(32)
        stored = self._store.fact("secret") or secrets.token_hex(32)
        self._store.save([], {"secret": stored})
        return bytes.fromhex(stored)
