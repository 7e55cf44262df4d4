"""Callbacks: sent once each when their moment comes, never retried."""

import contextlib
import heapq
import http.client
import ipaddress
import itertools
import json
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from astria_nb.sandbox.clock import Clock

TIMEOUT = 5.0
"""Seconds that a receiver has for each step of a delivery."""


@dataclass(frozen=True)
class Delivery:
    """What became of one callback.

    Attributes
    ----------
    event : str
        ``"tune"``, ``"prompt"`` or ``"prompts"``.
    url : str
        Where it was to go.
    status : int or None
        The receiver's answer; None when there was none.
    error : str or None
        Why there was none.
    """

    event: str
    url: str
    status: int | None = None
    error: str | None = None


@dataclass(frozen=True, order=True)
class _Job:
    due: int
    number: int
    event: str = field(compare=False)
    url: str = field(compare=False)
    body: Callable[[], object] = field(compare=False)


class Courier:
    """Sends callbacks: one thread waits for the next moment, and each receiver has a lane of its own.

    A lane is a thread that lives while there is something for one address (host, port and path), so a
    receiver that hangs delays only itself.

    Parameters
    ----------
    clock : Clock
        The service's time.
    anywhere : bool
        Whether receivers may be on other machines.
    """

    def __init__(self, clock: Clock, *, anywhere: bool) -> None:
        self._clock = clock
        self._anywhere = anywhere
        self._changed = threading.Condition()
        self._numbers = itertools.count()
        self._jobs: list[_Job] = []
        self._lanes: dict[str, deque[_Job]] = {}
        self._threads: set[threading.Thread] = set()
        self._open: set[http.client.HTTPConnection] = set()
        self._deliveries: list[Delivery] = []
        self._stopped = False

    def start(self) -> None:
        """Begin to wait for moments."""
        with self._changed:
            self._begin(self._schedule, "astria-sandbox-callbacks")

    def stop(self) -> None:
        """Break off what is being sent, forget the rest and end every thread."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            threads = list(self._threads)
            for connection in self._open:
                if connection.sock is not None:
                    _hang_up(connection)
        for thread in threads:
            thread.join(TIMEOUT + 1)

    def plan(self, due: int, event: str, url: str, body: Callable[[], object]) -> None:
        """Send `body()` as JSON to `url` when it is `due`."""
        with self._changed:
            heapq.heappush(self._jobs, _Job(due, next(self._numbers), event, url, body))
            self._changed.notify_all()

    def wake(self) -> None:
        """Look at the clock again: it was moved."""
        with self._changed:
            self._changed.notify_all()

    @property
    def deliveries(self) -> list[Delivery]:
        """What became of each callback so far, in the order in which they ended."""
        with self._changed:
            return list(self._deliveries)

    def _begin(self, target: Callable[..., None], name: str, *args: str) -> None:
        thread = threading.Thread(target=target, name=name, args=args, daemon=True)
        self._threads.add(thread)
        thread.start()

    def _schedule(self) -> None:
        with self._changed:
            while not self._stopped:
                wait = self._clock.until(self._jobs[0].due) if self._jobs else None
                if wait == 0:
                    self._hand_over(heapq.heappop(self._jobs))
                else:
                    self._changed.wait(wait)

    def _hand_over(self, job: _Job) -> None:
        lane = job.url.partition("?")[0]
        if lane in self._lanes:
            self._lanes[lane].append(job)
        else:
            self._lanes[lane] = deque([job])
            self._begin(self._serve_lane, "astria-sandbox-callback", lane)

    def _serve_lane(self, lane: str) -> None:
        while True:
            with self._changed:
                if self._stopped or not self._lanes[lane]:
                    del self._lanes[lane]
                    self._threads.discard(threading.current_thread())
                    return
                job = self._lanes[lane].popleft()
            delivery = self._deliver(job)
            with self._changed:
                self._deliveries.append(delivery)

    def _deliver(self, job: _Job) -> Delivery:
        try:
            parts = urlsplit(job.url)
            connection = self._connection(parts)
            status = self._post(connection, parts, json.dumps(job.body()).encode())
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Delivery(job.event, job.url, error=f"{type(error).__name__}: {error}")
        return Delivery(job.event, job.url, status)

    def _connection(self, parts: SplitResult) -> http.client.HTTPConnection:
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("a callback goes to an http or https URL")
        if not self._anywhere and not is_loopback(parts.hostname):
            raise ValueError("not sent: the receiver is not on this machine (see callbacks_anywhere)")
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        return kind(parts.hostname, parts.port, timeout=TIMEOUT)

    def _post(self, connection: http.client.HTTPConnection, parts: SplitResult, body: bytes) -> int:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        with self._changed:
            self._open.add(connection)
        try:
            connection.request("POST", target, body, {"Content-Type": "application/json"})
            return connection.getresponse().status
        finally:
            with self._changed:
                self._open.discard(connection)
            connection.close()


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, without asking the network.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("example.com")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _hang_up(connection: http.client.HTTPConnection) -> None:
    with contextlib.suppress(OSError):
        connection.sock.shutdown(socket.SHUT_RDWR)
