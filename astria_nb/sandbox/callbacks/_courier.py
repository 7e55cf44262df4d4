"""Send each callback once, when it is due; never retry."""

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

from astria_nb.sandbox._clock import Clock

TIMEOUT = 5.0
"""Seconds to wait for a receiver in each step of a delivery."""


@dataclass(frozen=True)
class Delivery:
    """The result of sending one callback.

    Attributes
    ----------
    event : str
        ``"tune"``, ``"prompt"`` or ``"prompts"``.
    url : str
        The receiver's address.
    status : int or None
        The HTTP status of the receiver's answer; None without one.
    error : str or None
        Why there was no answer.

    Examples
    --------
    >>> Delivery("tune", "http://127.0.0.1:8000/", 204, None).status
    204
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
    """Sends callbacks: one thread waits for the next due time, and each receiver has its own lane.

    A lane is a thread that runs as long as there are callbacks for one address (host, port and path), so a
    receiver that hangs delays only its own callbacks.

    Parameters
    ----------
    clock : Clock
        The service's clock.
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
        """Start the thread that waits for due callbacks."""
        with self._changed:
            self._start_thread(self._schedule, "astria-sandbox-callbacks")

    def stop(self) -> None:
        """Cancel deliveries, discard planned ones, and end every thread."""
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
        """Check the clock again, after it was moved."""
        with self._changed:
            self._changed.notify_all()

    @property
    def deliveries(self) -> list[Delivery]:
        """The result of each callback so far, in the order in which they ended."""
        with self._changed:
            return list(self._deliveries)

    def _start_thread(self, target: Callable[..., None], name: str, *args: str) -> None:
        thread = threading.Thread(target=target, name=name, args=args, daemon=True)
        self._threads.add(thread)
        thread.start()

    def _schedule(self) -> None:
        with self._changed:
            while not self._stopped:
                wait = self._clock.until(self._jobs[0].due) if self._jobs else None
                if wait == 0:
                    self._enqueue(heapq.heappop(self._jobs))
                else:
                    self._changed.wait(wait)

    def _enqueue(self, job: _Job) -> None:
        lane = job.url.partition("?")[0]
        if lane in self._lanes:
            self._lanes[lane].append(job)
        else:
            self._lanes[lane] = deque([job])
            self._start_thread(self._serve_lane, "astria-sandbox-callback", lane)

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
            raise ValueError("not sent: it is not an http or https URL")
        if not self._anywhere and not is_loopback(parts.hostname):
            raise ValueError("not sent: the receiver is not on this machine (see callbacks_anywhere)")
        if parts.scheme == "https":
            return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=TIMEOUT)
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT)

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
    """Return whether a host is this machine, without a DNS lookup.

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
