"""What arrived: one record for each request, in the order in which their heads came."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from astria_nb.sandbox.clock import SECOND
from astria_nb.sandbox.params.tree import Params, described


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request, as far as it has come.

    It holds no header but the media type of the body, so never a key.

    Attributes
    ----------
    number : int
        Its place in the order of arrival, from 1.
    time : datetime
        The service's time at which its head had arrived, UTC.
    method : str
        Its method, e.g. ``"POST"``.
    path : str
        Its path as it was sent, without the query, e.g. ``"/p/43/tunes"``.
    query : str
        What stood after the question mark.
    content_type : str
        The media type of its body, without parameters; empty when none was named.
    body_bytes : int
        How much of its body was read.
    complete : bool
        Whether its body was read to the end.
    fault : str or None
        The kind of the fault that struck it.
    status : int or None
        The HTTP status that the client was sent; None as long as, or because, it was sent none.
    params : mapping or None
        What was sent under ``tune``, ``prompt`` or ``pack``: strings in a form; numbers, booleans and null
        too in JSON; a file as ``{"filename", "content_type", "size", "sha256"}``, its type told from its
        bytes. None when it was not read.
    tune_ids, prompt_ids : tuple of int
        What it made.
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
    """Keeps every request from its head on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[Request] = []

    def open(self, now: int, method: str, target: str, content_type: str) -> "Entry":
        """Begin the record of a request whose head has arrived, at `now` in milliseconds since 1970."""
        path, _, query = target.partition("?")
        with self._lock:
            request = Request(
                number=len(self._requests) + 1,
                time=datetime.fromtimestamp(now / SECOND, UTC),
                method=method,
                path=path,
                query=query,
                content_type=content_type,
            )
            self._requests.append(request)
        return Entry(self, request.number)

    def requests(self) -> list[Request]:
        """Return every request as it stands, oldest first."""
        with self._lock:
            return list(self._requests)

    def update(self, number: int, *, more_bytes: int = 0, **changes: Any) -> None:
        """Write down what became of a request."""
        with self._lock:
            request = self._requests[number - 1]
            self._requests[number - 1] = replace(
                request, body_bytes=request.body_bytes + more_bytes, **changes
            )


class Entry:
    """The record of one request, to write to; a request that is carried out late writes late.

    The application finds it in ``environ["astria.request"]``.
    """

    def __init__(self, ledger: Ledger, number: int) -> None:
        self._ledger = ledger
        self._number = number

    def arrived(self, size: int, complete: bool) -> None:
        """Say that so much more of the body was read, and whether that was all."""
        self._ledger.update(self._number, more_bytes=size, complete=complete)

    def struck(self, kind: str) -> None:
        """Say which fault struck."""
        self._ledger.update(self._number, fault=kind)

    def answered(self, status: int | None) -> None:
        """Say which status the client is sent; None takes it back."""
        self._ledger.update(self._number, status=status)

    def read(self, params: Params) -> None:
        """Say what was under ``tune``."""
        self._ledger.update(self._number, params=described(params))

    def made(self, tune_ids: Iterable[int], prompt_ids: Iterable[int]) -> None:
        """Say what was made."""
        self._ledger.update(self._number, tune_ids=tuple(tune_ids), prompt_ids=tuple(prompt_ids))
