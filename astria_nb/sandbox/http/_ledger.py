"""The ledger: one record for each request, in the order of arrival."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from astria_nb.sandbox._clock import SECOND
from astria_nb.sandbox.params import Params, described


@dataclass(frozen=True, kw_only=True)
class ReceivedRequest:
    """A request, or the part of it that has arrived.

    The only header that it contains is the media type of the body, so it never contains a key.

    Attributes
    ----------
    number : int
        Its place in the order of arrival, counted from 1.
    time : datetime
        The service's time when its head had arrived, in UTC.
    method : str
        Its method, e.g. ``"POST"``.
    path : str
        Its path as it was sent, without the query, e.g. ``"/p/43/tunes"``.
    query : str
        The part after the question mark.
    content_type : str
        The media type of its body, without parameters; empty without a Content-Type header.
    body_bytes : int
        How many bytes of its body were read.
    complete : bool
        Whether its body was read to the end.
    fault : str or None
        The kind of the fault that affected it.
    status : int or None
        The HTTP status of the answer; None if no answer was sent, or not yet.
    params : mapping or None
        The parameters under ``tune``, ``prompt`` or ``pack``: strings in a form; also numbers, booleans and
        null in JSON; a file as ``{"filename", "content_type", "size", "sha256"}``, its type detected from its
        bytes. None if it was not read.
    tune_ids, prompt_ids : tuple of int
        The tunes and prompts that it created.

    Examples
    --------
    See `astria_nb.Sandbox.received`.
    """

    number: int
    time: datetime
    method: str
    path: str
    query: str
    content_type: str
    body_bytes: int = 0
    complete: bool = False
    fault: str | None = None
    status: int | None = None
    params: Mapping[str, object] | None = None
    tune_ids: tuple[int, ...] = ()
    prompt_ids: tuple[int, ...] = ()


class Ledger:
    """Records every request as soon as its head has arrived."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fields: list[dict[str, Any]] = []
        self._requests: list[ReceivedRequest | None] = []  # created on demand

    def open(self, now: Callable[[], int], method: str, target: str, content_type: str) -> "LedgerEntry":
        """Add a request whose head has just arrived; `now` returns milliseconds since 1970 (UTC)."""
        path, _, query = target.partition("?")
        with self._lock:
            number = len(self._requests) + 1
            # Read under the lock, so that times are in the order of the numbers.
            time = datetime.fromtimestamp(now() / SECOND, UTC)
            head = {"method": method, "path": path, "query": query, "content_type": content_type}
            self._fields.append({"number": number, "time": time, **head, "body_bytes": 0})
            self._requests.append(None)
        return LedgerEntry(self, number)

    def requests(self) -> list[ReceivedRequest]:
        """Return the current state of every request, oldest first."""
        with self._lock:
            for index, fields in enumerate(self._fields):
                if self._requests[index] is None:
                    self._requests[index] = ReceivedRequest(**fields)
            return [request for request in self._requests if request is not None]

    def update(self, number: int, *, more_bytes: int = 0, **changes: Any) -> None:
        """Change fields of a request's record."""
        with self._lock:
            fields = self._fields[number - 1]
            fields.update(changes, body_bytes=fields["body_bytes"] + more_bytes)
            self._requests[number - 1] = None


class LedgerEntry:
    """Writes to the record of one request, also after it was answered.

    The application finds it in ``environ["astria.request"]``.
    """

    def __init__(self, ledger: Ledger, number: int) -> None:
        self._ledger = ledger
        self._number = number

    def record_body(self, size: int, complete: bool) -> None:
        """Record that `size` more bytes of the body were read, and whether it is complete."""
        self._ledger.update(self._number, more_bytes=size, complete=complete)

    def record_fault(self, kind: str) -> None:
        """Record the kind of fault."""
        self._ledger.update(self._number, fault=kind)

    def record_status(self, status: int | None) -> None:
        """Record the status of the answer; None if it was not sent after all."""
        self._ledger.update(self._number, status=status)

    def record_params(self, params: Params) -> None:
        """Record the parameters under ``tune``, ``prompt`` or ``pack``."""
        self._ledger.update(self._number, params=described(params))

    def record_created(self, tune_ids: Iterable[int], prompt_ids: Iterable[int]) -> None:
        """Record which tunes and prompts the request created."""
        self._ledger.update(self._number, tune_ids=tuple(tune_ids), prompt_ids=tuple(prompt_ids))
