"""The custom messages between the browser and `DropZone`."""

from __future__ import annotations

from typing import Any, Literal, TypedDict, TypeVar

_T = TypeVar("_T")


class Hello(TypedDict):
    """Browser to kernel: a page was opened. Transfers from other pages are stopped until they continue."""

    kind: Literal["hello"]
    page: str


class OfferedFile(TypedDict):
    """A file of an `Offer`, with an id chosen by the page, which is unique among all pages."""

    id: str
    name: str
    size: int


class Offer(TypedDict):
    """Browser to kernel: files to send, in this order. Each is answered by `Have` or `Stop`."""

    kind: Literal["offer"]
    page: str
    files: list[OfferedFile]


class Chunk(TypedDict):
    """Browser to kernel, with one buffer: the bytes from `offset` on, 1 MiB or the rest of the file."""

    kind: Literal["chunk"]
    id: str
    offset: int


class Ask(TypedDict):
    """Browser to kernel, after a silence: how much was received? Answered by `Again` or `Stop`."""

    kind: Literal["ask"]
    id: str


class Lost(TypedDict):
    """Browser to kernel: the file can no longer be read."""

    kind: Literal["lost"]
    id: str


class Cancel(TypedDict):
    """Browser to kernel: cancel these files, or dismiss them if they failed."""

    kind: Literal["cancel"]
    ids: list[str]


class Have(TypedDict):
    """Kernel to browser: everything before `offset` was received; continue."""

    kind: Literal["have"]
    id: str
    offset: int


class Again(TypedDict):
    """Kernel to browser: send everything from `offset` on, even if it was sent before."""

    kind: Literal["again"]
    id: str
    offset: int


class Stop(TypedDict):
    """Kernel to browser: stop sending this file."""

    kind: Literal["stop"]
    id: str


class TransferRow(TypedDict):
    """The displayed state of one file: being sent, stopped because its page was closed, or failed and why."""

    id: str
    name: str
    size: int
    received: int
    state: Literal["coming", "stopped", "failed"]
    problem: str


def message_field(message: Any, name: str, kind: type[_T], default: _T) -> _T:
    """Return a field of an untrusted message, or the default if it is missing or of another type.

    Parameters
    ----------
    message : object
    name : str
    kind : type
        A bool does not count as an int.
    default : object

    Examples
    --------
    >>> message_field({"offset": "7"}, "offset", int, -1), message_field({"offset": 7}, "offset", int, -1)
    (-1, 7)
    """
    value = message.get(name, default) if isinstance(message, dict) else default
    return value if isinstance(value, kind) and not isinstance(value, bool) else default
