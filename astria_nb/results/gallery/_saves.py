"""Sending pictures to the user's own computer, in pieces that the page acknowledges."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Protocol

from astria_nb.errors import AstriaError
from astria_nb.results.gallery._messages import PieceMessage, SavedMessage, SaveFailedMessage
from astria_nb.utils import background
from astria_nb.utils.formatting import format_size

PIECE_BYTES = 2**20  # the server between page and kernel may refuse messages of 10 MiB
_MAX_PIECES_IN_FLIGHT = 4
_MAX_TRANSFERS = 4  # a fifth transfer ends the oldest, whose page may have been closed
_PATIENCE = 600.0  # seconds without an answer from the page, for example while a cell runs
_TICK = 0.2  # seconds
_HEARTBEAT = 1.0  # seconds: a page without messages for three seconds says that the kernel is busy

SaveMessage = PieceMessage | SavedMessage | SaveFailedMessage
Send = Callable[[SaveMessage, bytes | None], None]


class SavedFile(Protocol):
    """A file that is created while it is sent."""

    name: str
    saved: int
    total: int
    problems: list[str]

    def blocks(self, size: int) -> Generator[bytes, None, None]:
        """Yield blocks of `size` bytes, the last may be smaller; empty ones while nothing arrives."""


class Saves:
    """The transfers of one gallery.

    Parameters
    ----------
    send : callable
        Called with each message, and its buffer or None, on the transfer's thread.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._transfers: dict[str, _FileTransfer] = {}

    def start(self, name: str, open_file: Callable[[], SavedFile]) -> None:
        """Send a file to the page that asked for it.

        Parameters
        ----------
        name : str
            Name of the transfer.
        open_file : callable
            Called on the transfer's thread. May raise `AstriaError`.
        """
        with self._lock:
            if name in self._transfers:
                return
            for oldest in list(self._transfers)[: 1 - _MAX_TRANSFERS]:
                self._transfers.pop(oldest).stop.set()
            transfer = self._transfers[name] = _FileTransfer(name, self._send)
        background.start_until_exit(self._run, transfer, open_file, stop=transfer.stop)

    def acknowledge(self, name: str, offset: int) -> None:
        """Record how much a page has received."""
        if transfer := self._transfers.get(name):
            transfer.acknowledge(offset)

    def cancel(self, name: str) -> None:
        """Stop sending a file."""
        if transfer := self._transfers.get(name):
            transfer.stop.set()

    def cancel_all(self) -> None:
        """Stop sending."""
        for transfer in list(self._transfers.values()):
            transfer.stop.set()

    def _run(self, transfer: _FileTransfer, open_file: Callable[[], SavedFile]) -> None:
        problem = "The download failed; please report it"
        try:
            problem = transfer.send_file(open_file())
        except _Cancelled:
            problem = "The download was stopped; start it again"
        except AstriaError as error:
            problem = "; ".join(f"{problem.what}; {problem.hint}" for problem in error.problems)
        except OSError as error:
            problem = (
                f"The kernel's disk for temporary files failed ({error.strerror or error}); download again"
            )
        finally:
            with self._lock:
                self._transfers.pop(transfer.name, None)
            if problem:
                self._send({"kind": "save_failed", "transfer": transfer.name, "problem": problem}, None)


class _FileTransfer:
    """One file that is being sent to a page."""

    def __init__(self, name: str, send: Send) -> None:
        self.name = name
        self.stop = threading.Event()
        self._send = send
        self._changed = threading.Condition()
        self._sent = self._acknowledged = 0
        self._progress, self._announced = "", 0.0

    def acknowledge(self, offset: int) -> None:
        with self._changed:
            self._acknowledged = max(self._acknowledged, min(offset, self._sent))
            self._changed.notify()

    def send_file(self, file: SavedFile) -> str:
        """Send a file completely, and return an empty text, or why sending was given up."""
        with closing(file.blocks(PIECE_BYTES)) as blocks:
            for block in blocks:
                if not self._wait_for_room():
                    return "The page did not answer for ten minutes; download again"
                self._send_piece(file, block)
        if not self._wait_for_room(0):
            return "The page did not answer for ten minutes; download again"
        message: SavedMessage = {
            "kind": "saved",
            "transfer": self.name,
            "name": file.name,
            "size": self._sent,
            "summary": _summary(file),
        }
        self._send(message, None)
        return ""

    def _send_piece(self, file: SavedFile, block: bytes) -> None:
        parts = [f"{file.saved} of {file.total} pictures"] if file.total > 1 else []
        if size := self._sent + len(block):  # the first pictures wait until a piece is full
            parts.append(format_size(size))
        progress = " · ".join(parts) or "Waiting for the service"
        now = time.monotonic()
        if not block and progress == self._progress and now < self._announced + _HEARTBEAT:
            return
        self._progress, self._announced = progress, now
        message: PieceMessage = {
            "kind": "piece",
            "transfer": self.name,
            "offset": self._sent,
            "progress": progress,
            "fraction": file.saved / file.total,
        }
        self._sent += len(block)
        self._send(message, block or None)

    def _wait_for_room(self, pieces: int = _MAX_PIECES_IN_FLIGHT - 1) -> bool:
        """Wait until at most `pieces` are unacknowledged; return whether the page answers."""
        until = time.monotonic() + _PATIENCE
        with self._changed:
            while not self.stop.is_set():
                if self._sent - self._acknowledged <= pieces * PIECE_BYTES:
                    return True
                if time.monotonic() > until:
                    return False
                self._changed.wait(_TICK)
        raise _Cancelled


class _Cancelled(Exception):  # noqa: N818  not an error: ends the sending
    """The page, or the end of the kernel, stopped the transfer."""


def _summary(file: SavedFile) -> str:
    """Describe for the user what is in the file, and what is missing."""
    if file.total == 1 and not file.problems:
        return f"Saved {file.name}"
    text = f"Saved {file.saved} of {file.total} pictures" if file.problems else f"Saved {file.total} pictures"
    text += f" in {file.name}"
    if file.problems:
        more = f" and {len(file.problems) - 1} more" if len(file.problems) > 1 else ""
        text += f". Missing: {file.problems[0]}{more}; manifest.jsonl names each"
    return text
