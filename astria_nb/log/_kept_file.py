"""Keeping what a log holds, when its file is deleted, moved, replaced or copied over while it is open."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import NoReturn

from astria_nb.log import _rescue as rescue
from astria_nb.log._access import problem_of
from astria_nb.log._connections import Connections
from astria_nb.log._errors import log_errors, refuse
from astria_nb.log._fate import Fate, OpenFiles
from astria_nb.log._guard import FileGuard, close_in_child
from astria_nb.utils.formatting import quoted
from astria_nb.utils.redaction import redact_name

_ATTEMPTS, _PAUSE = 50, 0.02  # seconds; another process may read for so long
_STILL_HELD = "make its place usable and try again: this kernel still holds all of it, until it ends"
_LAST_EVENT = "SELECT seq FROM sqlite_sequence WHERE name = 'event'"


class KeptFile:
    """The open file of a store, and its name, which is made to lead to it again.

    Attributes
    ----------
    is_lost : bool
        Whether the file that it has open has lost its name to another one, which has to be opened.
    notice : tuple of (str, str) or None
        What happened to the file, and a hint, until somebody was told.
    """

    _path: Path
    _may_write: bool
    connections: Connections
    _guard: FileGuard

    def __init__(self) -> None:
        self.is_lost = False
        self.notice: tuple[str, str] | None = None
        self._last_event = 0
        self._files: OpenFiles | None = None

    def check(self) -> None:
        """Refuse to go on if the file lost its name since somebody was told last.

        Raises
        ------
        LogError
            What happened, and what to do.
        """
        with log_errors(self._path):
            self._repair()
        if self.notice is not None:
            (what, hint), self.notice = self.notice, None
            refuse(self._path, what, f"nothing was sent; submit again to go on; {hint}")

    def pop_notice(self) -> str | None:
        """Return what happened to the file, once, as a sentence."""
        if self.notice is None:
            return None
        (what, hint), self.notice = self.notice, None
        return str(problem_of(self._path, what, hint))

    def close_connections(self) -> None:
        """Close every connection; the next use opens them again. The guard is held."""
        self.connections.close()
        if self._files is not None:
            self._files.forget_companions()

    def _hold(self) -> sqlite3.Connection:
        """Return the connection that writes: what it has open can be read whatever becomes of the file."""
        is_new = not self.connections.is_held
        held = self.connections.held()
        if is_new:
            close_in_child()
        if is_new and self._files is not None:
            self._files.note_companions()
        return held

    def _repair(self) -> None:
        """Make the file's name lead to what is open again, if it does not; nothing that is held is lost."""
        if self._files is None or self.is_lost or self._files.fate() is Fate.INTACT:
            return
        with self._guard.lock:
            if not self.connections.is_held:  # nothing is open that could be saved
                if self._files.fate() is Fate.INTACT:  # another thread was closing it, such as before a fork
                    return
                self.is_lost = True
                refuse(self._path, "was deleted, moved or replaced", "to go on with what is there, try again")
            if self.connections.is_writing:  # by this thread, which comes back when it is done
                return
            self._follow()
            fate = self._files.fate()
            if fate is Fate.INTACT:
                return
            if fate is Fate.COMPANIONS_GONE and self._may_write and self._has_moved_into_main():
                self._reopen()
            elif fate is Fate.GONE and self._may_write:
                self._restore()
            else:
                self._give_up(fate)

    def _follow(self) -> None:
        """Open the file that has this name, if it holds all that is open here, or was written by others."""
        if self._files is None or self.is_lost or not self.connections.is_held:
            return
        fate = self._files.fate()
        if fate is Fate.EMPTIED:
            self._refuse_emptied()
        if fate is Fate.REPLACED:
            self._files.remove_companions()
            if rescue.holds_all(self._path, self.connections.held()):
                self._reopen()
        elif fate is Fate.INTACT and self._files.has_companions and self._files.has_changed():
            self._reopen()  # what SQLite remembers of the file may not be true: it may be a copy over it

    def _reopen(self) -> None:
        with self._guard.quiet():
            self._guard.close_all()
            for store in self._guard.stores():
                store.connections.file, store._files = self._path.stat(), OpenFiles(self._path)
            if self._may_write:
                self._hold()

    def _restore(self) -> None:
        assert self._files is not None
        try:
            rescue.restore(self.connections.held(), self._path, self._files)
        except (OSError, sqlite3.Error) as error:
            what = f"was deleted or moved while it was open, and cannot be written again ({_reason(error)})"
        else:
            self._reopen()
            self.notice = (
                "was deleted or moved while it was open, and was written again with all that it held",
                "to start anew, delete it while no kernel has it open",
            )
            return
        refuse(self._path, what, _STILL_HELD)

    def _give_up(self, fate: Fate) -> None:
        """Save what is held under another name, and let the next use open what has the name."""
        which = "was" if fate is not Fate.COMPANIONS_REPLACED else "or a file that SQLite keeps beside it was"
        what = f"{which} replaced by another file while it was open"
        hint = "to go on with the file that is there, try again"
        if self._may_write:
            held = self.connections.held()
            latest, has_open = rescue.latest_event(held), rescue.has_open(held)
            try:
                saved = rescue.save_beside(held, self._path)
            except (OSError, sqlite3.Error) as error:
                what += f", and what it held cannot be saved beside it ({_reason(error)})"
                refuse(self._path, what, _STILL_HELD)
            if fate is Fate.COMPANIONS_REPLACED:
                self._reopen()
                if rescue.has_event(self.connections.held(), latest):  # another process had saved it
                    saved.unlink()
                    return
            what += f"; what it held was saved as {quoted(saved.name)} beside it"
            if has_open:  # the log that is there does not know them, and would let them be paid again
                recover = f"anb.ExperimentLog({redact_name(str(saved))!r}).recover()"
                hint = f"it has submissions of unknown outcome: call {recover} first; then, {hint}"
        self.is_lost = True
        self.close_connections()
        refuse(self._path, what, hint)

    def _has_moved_into_main(self) -> bool:
        """Move a write-ahead log that has no name into the file, and return whether that is complete."""
        with self._guard.quiet():
            for _ in range(_ATTEMPTS):
                if self.connections.checkpoint():
                    return True
                time.sleep(_PAUSE)
        return False

    def _refuse_emptied(self) -> NoReturn:
        self.is_lost = True
        self.close_connections()
        what = "was emptied by another program while it was open"
        refuse(self._path, what, "put a copy from before in its place, or try again to begin a new log")

    def _refuse_overwritten(self, held: sqlite3.Connection) -> None:
        if self._files is not None and self._last(held) < self._last_event:
            self.is_lost = True
            what = "was overwritten with an older state while it was open"
            refuse(self._path, what, "to go on with the file as it is, try again")

    def _last(self, held: sqlite3.Connection) -> int:
        row = held.execute(_LAST_EVENT).fetchone()
        return 0 if row is None else int(row[0])


def _reason(error: Exception) -> object:
    return getattr(error, "strerror", None) or error
