"""The files that browsers are sending to the kernel, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astria_nb.errors import Problem
from astria_nb.form.fields import displayable
from astria_nb.form.images._drop_zone_messages import Again, Have, Stop, TransferRow, message_field
from astria_nb.form.images._incoming_file import IncomingFile, check_size, storage_problem
from astria_nb.form.images._upload_spool import UploadSpool


@dataclass(eq=False, slots=True)
class _Transfer:
    page: str
    row: TransferRow
    file: IncomingFile | None = None  # None once it failed


class Transfers:
    """The files that are being sent, and those that failed, until the user dismisses them.

    Not thread-safe.

    Parameters
    ----------
    spool : UploadSpool
        Where the files are stored.
    reply : callable
        Called with a message to the browser.

    Attributes
    ----------
    rows_changed : bool
        Set when a file is added, removed, fails or continues; not for every chunk, because the replies tell
        the browser how much was received. Reset by the caller.
    """

    def __init__(self, spool: UploadSpool, reply: Callable[[Have | Again | Stop], None]) -> None:
        self._spool, self._reply = spool, reply
        self._open: dict[str, _Transfer] = {}
        self._completed: dict[str, int] = {}  # sizes by id
        self._received: set[Path] = set()  # files that count towards the limit
        self.rows_changed = False

    def rows(self) -> list[dict[str, Any]]:
        """Return a `TransferRow` for each file."""
        for transfer in self._open.values():
            transfer.row["received"] = transfer.file.received if transfer.file is not None else 0
        return [dict(transfer.row) for transfer in self._open.values()]

    def handle(self, message: Any, buffers: Sequence[Any]) -> None:
        """Handle a message from the browser; unknown ones are ignored."""
        kind, file_id = (message_field(message, name, str, "") for name in ("kind", "id"))
        if kind == "hello":
            self._stop_transfers_of_other_pages(message_field(message, "page", str, ""))
            self.rows_changed = True
        elif kind == "cancel":
            self._cancel(message_field(message, "ids", list, []))
            self.rows_changed = True
        elif kind == "offer":
            for file in message_field(message, "files", list, []):
                self._receive_offer(message_field(message, "page", str, ""), file)
            self.rows_changed = True
        elif (transfer := self._open.get(file_id)) is None or transfer.file is None:
            self._answer_closed(file_id)
        elif kind == "chunk":
            self._receive_chunk(transfer, transfer.file, message_field(message, "offset", int, -1), buffers)
        elif kind == "ask":
            self._reply({"kind": "again", "id": file_id, "offset": transfer.file.received})
        elif kind == "lost":
            self._fail(transfer, Problem("images", "cannot be read on your computer", "add it again"))

    def take_completed(self) -> Iterator[Path]:
        """Remove and yield the complete files, in the order in which each page offered them."""
        incomplete_pages = set()
        for file_id, transfer in list(self._open.items()):
            file = transfer.file
            if file is None or transfer.row["state"] != "coming" or transfer.page in incomplete_pages:
                continue
            if not file.is_complete:
                incomplete_pages.add(transfer.page)
                continue
            del self._open[file_id]
            self._completed[file_id] = file.size
            self._received.add(file.path)
            self.rows_changed = True
            yield file.path

    def release(self, path: Path) -> None:
        """Stop counting a file towards the limit; it is not deleted."""
        self._received.discard(path)

    def clear(self) -> None:
        """Forget all files."""
        self._open.clear()

    def _stop_transfers_of_other_pages(self, page: str) -> None:
        for transfer in self._open.values():
            if transfer.page != page and transfer.row["state"] == "coming":
                transfer.row["state"] = "stopped"
                transfer.row["problem"] = "stopped because its page was closed; add it again"

    def _receive_offer(self, page: str, offered: Any) -> None:
        file_id, name = (message_field(offered, key, str, "") for key in ("id", "name"))
        size = message_field(offered, "size", int, -1)
        transfer = self._open.get(file_id)
        if transfer is None and file_id and file_id not in self._completed and size >= 0:
            transfer = self._begin(file_id, page, name, size)
        if transfer is not None and transfer.file is not None:
            self._reply({"kind": "have", "id": file_id, "offset": transfer.file.received})
        else:
            self._answer_closed(file_id)

    def _begin(self, file_id: str, page: str, name: str, size: int) -> _Transfer:
        shown_name = displayable(name)
        for stopped in list(self._open.values()):  # the same file, added again
            row = stopped.row
            if row["state"] == "stopped" and (row["name"], row["size"]) == (shown_name, size):
                self._drop(stopped)
        active = sum(transfer.file is not None for transfer in self._open.values())
        row = TransferRow(id=file_id, name=shown_name, size=size, received=0, state="coming", problem="")
        self._open[file_id] = transfer = _Transfer(page, row)
        problem = check_size(size, len(self._received) + active)
        if problem is None:
            try:
                transfer.file = IncomingFile(self._spool.create(name), size)
            except OSError as error:
                problem = storage_problem(error)
        if problem is not None:
            self._fail(transfer, problem)
        return transfer

    def _receive_chunk(
        self, transfer: _Transfer, file: IncomingFile, offset: int, buffers: Sequence[Any]
    ) -> None:
        file_id = transfer.row["id"]
        if offset > file.received:
            self._reply({"kind": "again", "id": file_id, "offset": file.received})
            return
        if offset == file.received:  # otherwise it was received before
            if problem := file.append(buffers[0] if len(buffers) == 1 else b""):
                self._fail(transfer, problem)
                return
            if transfer.row["state"] == "stopped":  # its page is still open
                transfer.row["state"], transfer.row["problem"] = "coming", ""
                self.rows_changed = True
        self._reply({"kind": "have", "id": file_id, "offset": file.received})

    def _fail(self, transfer: _Transfer, problem: Problem) -> None:
        if transfer.file is not None:
            transfer.file.discard()
            transfer.file = None
        transfer.row["state"], transfer.row["problem"] = "failed", f"{problem.what}; {problem.hint}"
        self._reply({"kind": "stop", "id": transfer.row["id"]})
        self.rows_changed = True

    def _cancel(self, ids: list[Any]) -> None:
        for file_id in ids:
            if isinstance(file_id, str) and file_id in self._open:
                self._drop(self._open[file_id])
                self._reply({"kind": "stop", "id": file_id})

    def _drop(self, transfer: _Transfer) -> None:
        del self._open[transfer.row["id"]]
        if transfer.file is not None:
            transfer.file.discard()

    def _answer_closed(self, file_id: str) -> None:
        """Answer a message about a file that was completed, cancelled or never offered."""
        if file_id in self._completed:
            self._reply({"kind": "have", "id": file_id, "offset": self._completed[file_id]})
        else:
            self._reply({"kind": "stop", "id": file_id})
