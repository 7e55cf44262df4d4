"""What the browser and `DropZone` say to each other, in custom messages of the widget."""

from __future__ import annotations

from typing import Any, Literal, TypedDict, TypeVar

_T = TypeVar("_T")


class Hello(TypedDict):
    """Browser to kernel: a page was opened. What another page was sending has stopped, until it goes on."""

    kind: Literal["hello"]
    page: str


class File(TypedDict):
    """A file of an `Offer`; its id is made up by the page, and no other's."""

    id: str
    name: str
    size: int


class Offer(TypedDict):
    """Browser to kernel: files are there to be sent, in this order. Each is answered by `Have` or `Stop`."""

    kind: Literal["offer"]
    page: str
    files: list[File]


class Chunk(TypedDict):
    """Browser to kernel, with one buffer: the bytes from `offset` on, 1 MiB, the last piece less."""

    kind: Literal["chunk"]
    id: str
    offset: int


class Ask(TypedDict):
    """Browser to kernel, after a silence: how far is it? Answered by `Again` or `Stop`."""

    kind: Literal["ask"]
    id: str


class Lost(TypedDict):
    """Browser to kernel: the file cannot be read any more."""

    kind: Literal["lost"]
    id: str


class Cancel(TypedDict):
    """Browser to kernel: these are not wanted, or what is said of them was read."""

    kind: Literal["cancel"]
    ids: list[str]


class Have(TypedDict):
    """Kernel to browser: everything before `offset` is here, go on."""

    kind: Literal["have"]
    id: str
    offset: int


class Again(TypedDict):
    """Kernel to browser: send from `offset` on, again if need be."""

    kind: Literal["again"]
    id: str
    offset: int


class Stop(TypedDict):
    """Kernel to browser: send no more of this file."""

    kind: Literal["stop"]
    id: str


class Line(TypedDict):
    """What is shown of one file: under way, stopped with the page that sent it, or refused and why."""

    id: str
    name: str
    size: int
    received: int
    state: Literal["coming", "stopped", "failed"]
    problem: str


def field(message: Any, name: str, kind: type[_T], default: _T) -> _T:
    """Return a field of a message from outside if it is of the right kind, else the default.

    Examples
    --------
    >>> field({"offset": "7"}, "offset", int, -1), field({"offset": 7}, "offset", int, -1)
    (-1, 7)
    """
    value = message.get(name, default) if isinstance(message, dict) else default
    return value if isinstance(value, kind) and not isinstance(value, bool) else default
