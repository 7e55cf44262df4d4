"""Keeping a log's content if its file is deleted, moved, replaced or overwritten while it is open."""

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

_ATTEMPTS, _PAUSE = 50, 0.02  # seconds; another process may read for this long
_STILL_HELD = "make its folder usable and try again: this kernel still holds all of it, until it ends"
_LAST_EVENT = "SELECT seq FROM sqlite_sequence WHERE name = 'event'"


class KeptFile:
    """The open file of a store, and its name, which is restored if it leads elsewhere.

    Attributes
    ----------
    is_lost : bool
        Whether another file has the name of the open file, and has to be opened.
    notice : tuple of (str, str) or None
        What happened to the file, and a hint, until it has been reported.
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
        """Raise an error if the file has lost its name since the last report.

        Raises
        ------
        LogError
            What happened, and what to do.
        """
        with log_errors(self._path):
            self._repair()
        if self.notice is not None:
            (what, hint), self.notice = self.notice, None
            refuse(self._path, what, f"nothing was sent; submit again to continue; {hint}")

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
        """Return the writing connection, which can read the open file whatever happens to its name."""
        is_new = not self.connections.is_held
        held = self.connections.held()
        if is_new:
            close_in_child()
        if is_new and self._files is not None:
            self._files.note_companions()
        return held

    def _repair(self) -> None:
        """Make the file's name lead to the open file again, if it does not, without losing content."""
        if self._files is None or self.is_lost or self._files.fate() is Fate.INTACT:
            return
        with self._guard.lock:
            if not self.connections.is_held:  # no file is open that could be saved
                if self._files.fate() is Fate.INTACT:  # another thread was closing it
                    return
                self.is_lost = True
                hint = "to continue with the file that is there, try again"
                refuse(self._path, "was deleted, moved or replaced", hint)
            if self.connections.is_writing:  # this thread is writing, and comes back when it is done
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
        """Open the file with this name, if it has all content of the open file, or was written by others."""
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
            self._reopen()  # it may have been overwritten by a copy

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
                "was deleted or moved while it was open, and was written again with all its content",
                "to start with an empty log, delete it while no kernel has it open",
            )
            return
        refuse(self._path, what, _STILL_HELD)

    def _give_up(self, fate: Fate) -> None:
        """Save the content under another name, and let the next use open the file with the name."""
        which = "was" if fate is not Fate.COMPANIONS_REPLACED else "or a file that SQLite keeps beside it was"
        what = f"{which} replaced by another file while it was open"
        hint = "to continue with the file that is there, try again"
        if self._may_write:
            held = self.connections.held()
            latest, has_open = rescue.latest_event(held), rescue.has_open(held)
            try:
                saved = rescue.save_beside(held, self._path)
            except (OSError, sqlite3.Error) as error:
                what += f", and its content cannot be saved beside it ({_reason(error)})"
                refuse(self._path, what, _STILL_HELD)
            if fate is Fate.COMPANIONS_REPLACED:
                self._reopen()
                if rescue.has_event(self.connections.held(), latest):  # another process had saved it
                    saved.unlink()
                    return
            what += f"; its content was saved as {quoted(saved.name)} beside it"
            if has_open:  # the other log does not know them, and would let them be paid for again
                recover = f"anb.ExperimentLog({redact_name(str(saved))!r}).recover()"
                hint = f"it has submissions of unknown outcome: call {recover} first; then, {hint}"
        self.is_lost = True
        self.close_connections()
        refuse(self._path, what, hint)

    def _has_moved_into_main(self) -> bool:
        """Move a write-ahead log without a name into the file, and return whether that is complete."""
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
            refuse(self._path, what, "to continue with the file as it is, try again")

    def _last(self, held: sqlite3.Connection) -> int:
        row = held.execute(_LAST_EVENT).fetchone()
        return 0 if row is None else int(row[0])


def _reason(error: Exception) -> object:
    return getattr(error, "strerror", None) or error
