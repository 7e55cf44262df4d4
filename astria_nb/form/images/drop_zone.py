"""Photos from the reader's own computer: dropped, pasted or picked, and sent in pieces.

The browser keeps at most four pieces on the way, and goes on when the kernel says what it has. What is
under way, and what went wrong, is in `DropZone.transfers`: a page that is loaded again shows it again.
While no thread of the kernel is free the browser says so, and goes on afterwards.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from astria_nb.errors import Problem
from astria_nb.form.fields.base import displayable
from astria_nb.form.images.drop_zone_messages import Again, Have, Line, Stop, field
from astria_nb.form.images.spool import MOST_FILES, Arrival, Spool, size_problem
from astria_nb.images.decoding import MEDIA_TYPES
from astria_nb.utils.script import script
from astria_nb.utils.stylesheet import stylesheet

_HERE = Path(__file__)


@dataclass(eq=False, slots=True)
class _Transfer:
    page: str
    line: Line
    arrival: Arrival | None = None


class DropZone(anywidget.AnyWidget):
    """A place to drop photos on, to paste them into, or to pick them from.

    Parameters
    ----------
    arrived : callable
        Called with the path of each file that is whole. It lies in a private folder that is removed with
        the widget (`close`) or with the kernel.
    kept : Path, optional
        A folder to use instead, which stays.

    Examples
    --------
    >>> DropZone(print)
    DropZone()
    """

    _esm = script(_HERE.with_suffix(".js"))
    _css = stylesheet(_HERE.with_suffix(".css"))
    accept = traitlets.Unicode(",".join(sorted(set(MEDIA_TYPES.values())))).tag(sync=True)
    """The media types that a picker offers."""
    most = traitlets.Int(MOST_FILES).tag(sync=True)
    """How many files there may be in all."""
    transfers = traitlets.List(traitlets.Dict()).tag(sync=True)
    """A `Line` for each file that is not whole."""

    def __init__(self, arrived: Callable[[Path], None], kept: Path | None = None) -> None:
        self._arrived = arrived
        # Messages come on the thread that runs cells and on another, at times on both: a kernel's subshell.
        self._lock, self._handing_over = threading.RLock(), threading.Lock()
        self._spool = Spool(kept)
        self._open: dict[str, _Transfer] = {}
        self._whole: dict[str, int] = {}
        self._kept: set[Path] = set()
        self._ready: deque[Path] = deque()
        super().__init__()
        self.on_msg(self._heard)

    def __repr__(self) -> str:
        return "DropZone()"

    def release(self, path: Path) -> None:
        """Give the place of a file to another; the file itself stays, for tunes that were made with it."""
        with self._lock:
            self._kept.discard(path)

    def close(self) -> None:
        """Remove the widget, and all that was received."""
        with self._lock:
            self._open.clear()
            self._spool.close()
        super().close()

    def _heard(self, _: DropZone, message: Any, buffers: Sequence[Any]) -> None:
        with self._lock:
            self._do(message, buffers)
            self._ready.extend(self._whole_ones())
        # Without the lock: whoever takes them may hold one of their own.
        with self._handing_over:
            while self._ready:
                self._arrived(self._ready.popleft())

    def _do(self, message: Any, buffers: Sequence[Any]) -> None:
        """Do what a message asks for; pass over one that is none of ours."""
        kind, file_id = (field(message, name, str, "") for name in ("kind", "id"))
        if kind == "hello":
            self._greet(field(message, "page", str, ""))
        elif kind == "cancel":
            self._cancel(field(message, "ids", list, []))
        elif kind == "offer":
            for each in field(message, "files", list, []):
                self._offered(field(message, "page", str, ""), each)
            self._show()
        elif (transfer := self._open.get(file_id)) is None or transfer.arrival is None:
            self._answer_late(file_id)
        elif kind == "chunk":
            self._take(transfer, transfer.arrival, field(message, "offset", int, -1), buffers)
        elif kind == "ask":
            self._reply({"kind": "again", "id": file_id, "offset": transfer.arrival.received})
        elif kind == "lost":
            self._fail(transfer, Problem("images", "cannot be read on your computer", "give it again"))

    def _greet(self, page: str) -> None:
        for transfer in self._open.values():
            if transfer.page != page and transfer.line["state"] == "coming":
                transfer.line["state"] = "stopped"
                transfer.line["problem"] = "stopped when its page was left; give it again"
        self._show()

    def _offered(self, page: str, file: Any) -> None:
        file_id, name = (field(file, key, str, "") for key in ("id", "name"))
        size = field(file, "size", int, -1)
        transfer = self._open.get(file_id)
        if transfer is None and file_id and file_id not in self._whole and size >= 0:
            transfer = self._begin(file_id, page, name, size)
        if transfer is not None and transfer.arrival is not None:
            self._reply({"kind": "have", "id": file_id, "offset": transfer.arrival.received})
        else:
            self._answer_late(file_id)

    def _begin(self, file_id: str, page: str, name: str, size: int) -> _Transfer:
        text = displayable(name)
        for each in list(self._open.values()):  # given again: the one that stopped is forgotten
            if each.line["state"] == "stopped" and (each.line["name"], each.line["size"]) == (text, size):
                self._drop(each)
        others = len(self._kept) + sum(each.arrival is not None for each in self._open.values())
        line = Line(id=file_id, name=text, size=size, received=0, state="coming", problem="")
        self._open[file_id] = transfer = _Transfer(page, line)
        wrong = size_problem(size, others)
        if wrong is None:
            try:
                transfer.arrival = Arrival(self._spool.new(name), size)
            except OSError as error:
                what = f"cannot be kept ({error.strerror or error})"
                wrong = Problem("images", what, "make room on the kernel's disk")
        if wrong is not None:
            self._fail(transfer, wrong)
        return transfer

    def _take(self, transfer: _Transfer, arrival: Arrival, offset: int, buffers: Sequence[Any]) -> None:
        file_id = transfer.line["id"]
        if offset > arrival.received:
            self._reply({"kind": "again", "id": file_id, "offset": arrival.received})
            return
        if offset == arrival.received:  # else it is here already
            if wrong := arrival.take(buffers[0] if len(buffers) == 1 else b""):
                self._fail(transfer, wrong)
                return
            if transfer.line["state"] == "stopped":  # its page is there after all
                transfer.line["state"], transfer.line["problem"] = "coming", ""
                self._show()
        self._reply({"kind": "have", "id": file_id, "offset": arrival.received})

    def _whole_ones(self) -> Iterator[Path]:
        """Yield the files that are whole, in the order in which they were given: a page sends them so."""
        waiting = set()
        for file_id, each in list(self._open.items()):
            if each.arrival is None or each.line["state"] != "coming" or each.page in waiting:
                continue
            if not each.arrival.is_whole:
                waiting.add(each.page)
                continue
            del self._open[file_id]
            self._whole[file_id] = each.arrival.size
            self._kept.add(each.arrival.path)
            self._show()
            yield each.arrival.path

    def _fail(self, transfer: _Transfer, problem: Problem) -> None:
        if transfer.arrival is not None:
            transfer.arrival.discard()
            transfer.arrival = None
        transfer.line["state"], transfer.line["problem"] = "failed", f"{problem.what}; {problem.hint}"
        self._reply({"kind": "stop", "id": transfer.line["id"]})
        self._show()

    def _cancel(self, ids: list[Any]) -> None:
        for each in ids:
            if isinstance(each, str) and each in self._open:
                self._drop(self._open[each])
                self._reply({"kind": "stop", "id": each})
        self._show()

    def _drop(self, transfer: _Transfer) -> None:
        del self._open[transfer.line["id"]]
        if transfer.arrival is not None:
            transfer.arrival.discard()

    def _answer_late(self, file_id: str) -> None:
        """Answer what concerns no file that is under way: one that is whole, was cancelled, or never was."""
        if file_id in self._whole:
            self._reply({"kind": "have", "id": file_id, "offset": self._whole[file_id]})
        else:
            self._reply({"kind": "stop", "id": file_id})

    def _reply(self, message: Have | Again | Stop) -> None:
        self.send(message)

    def _show(self) -> None:
        for each in self._open.values():
            each.line["received"] = each.arrival.received if each.arrival is not None else 0
        self.transfers = [{**each.line} for each in self._open.values()]
