"""The log's SQLite file: its transactions, and what is done when the file loses its name."""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import sqlalchemy as sa

from astria_nb.errors import LogError
from astria_nb.log import _rescue as rescue
from astria_nb.log._access import problem_of
from astria_nb.log._connections import Connections
from astria_nb.log._errors import log_errors, refuse
from astria_nb.log._fate import Fate, OpenFiles
from astria_nb.log._guard import all_stores, guard_of
from astria_nb.log._idle import WhenIdle
from astria_nb.log._opening import prepare, refuse_foreign
from astria_nb.log._schema import VERSION
from astria_nb.log._set_up import set_up

_IDLE_SECONDS = 0.3  # a copy of the main file is complete so long after the last write
_LAST_EVENT = "SELECT seq FROM sqlite_sequence WHERE name = 'event'"


class SqliteStore:
    """An open log file.

    Parameters
    ----------
    path : Path
    timeout : float
        Seconds to wait while another process writes.

    Attributes
    ----------
    is_lost : bool
        Whether the file that it has open has lost its name to another one, which has to be opened.
    notice : tuple of (str, str) or None
        What happened to the file, and a hint, until somebody was told.

    Raises
    ------
    LogError
        The file cannot be opened, or is not a log that this version can use.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        self._path = path
        self.is_lost = False
        self.notice: tuple[str, str] | None = None
        self._last_event = 0
        self._files: OpenFiles | None = None
        self._guard = guard_of(path)
        with log_errors(path):
            for store in list(self._guard.stores):
                try:
                    store._mend()
                except LogError as error:  # that one has lost its file; this one opens what is there
                    self.notice = error.problems[0].what, error.problems[0].hint
            opening = prepare(path, timeout, is_open=_is_open(path))
            self._file, self._may_write = opening.file, opening.may_write
            self._connections = Connections(path, opening.url, timeout, durable=self._may_write)
            # If it is never closed: SQLite removes its companion files, and Python raises no ResourceWarning.
            weakref.finalize(self, self._connections.close)
            when_idle = weakref.WeakMethod(self._checkpoint)
            self._idle = WhenIdle(lambda: (work := when_idle()) is None or work(), _IDLE_SECONDS)
            try:
                if self._may_write:
                    self._set_up()
                self._files = OpenFiles(path)
                if self._may_write:
                    self._hold()
                    self._files.note_companions()
            except BaseException:
                self.close()
                raise
        self._guard.stores.add(self)

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Yield a connection in a transaction of its own, which is on the disk when the context ends."""
        with log_errors(self._path), self._guard.lock:
            if not self._may_write:
                raise sqlite3.OperationalError("attempt to write a readonly database")
            if self._files is not None and not self._files.has_companions:
                self._mend()  # without a write-ahead log, SQLite writes to no file that lost its name
            self._follow()
            held = self._hold()
            try:
                with self._connections.writer.connect() as connection, connection.begin():
                    self._refuse_overwritten(held)
                    yield connection
                    last_event = self._last(held)
            finally:
                self._connections.roll_back()
            self._last_event = last_event
            self._idle.touch()
            if self._files is not None:
                # It was written to what is open. If that has lost its name, all of it is saved.
                self._mend()
                self._files.mark()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Yield a connection in a read transaction: a consistent snapshot of the file."""
        with log_errors(self._path):
            self._mend()
            if self._may_write and not self._connections.is_held:
                with self._guard.lock:
                    self._hold()
            with (
                self._guard.reading(),
                self._connections.readers.connect() as connection,
                connection.begin(),
            ):
                yield connection

    def check(self) -> None:
        """Refuse to go on if the file lost its name since somebody was told last.

        Raises
        ------
        LogError
            What happened, and what to do.
        """
        with log_errors(self._path):
            self._mend()
        if self.notice is not None:
            (what, hint), self.notice = self.notice, None
            refuse(self._path, what, f"nothing was sent; submit again to go on; {hint}")

    def pop_notice(self) -> str | None:
        """Return what happened to the file, once, as a sentence."""
        if self.notice is None:
            return None
        (what, hint), self.notice = self.notice, None
        return str(problem_of(self._path, what, hint))

    def shrink(self) -> None:
        """Give the space of deleted rows back to the disk, unless another process keeps the file busy.

        The file is rewritten, so the disk needs room for a second copy meanwhile. Without it, the space stays
        in the file and is used by later rows.
        """
        with log_errors(self._path), self._guard.lock:
            self._connections.shrink()
            if self._files is not None:
                self._files.mark()

    def close(self) -> None:
        """Close every connection."""
        self._idle.stop()
        with self._guard.lock:
            self.let_go()

    def stop_waiting(self) -> None:
        """End the thread that waits for the log to be idle."""
        self._idle.stop()

    def let_go(self) -> None:
        """Close every connection; the next use opens them again. The guard is held."""
        self._connections.close()
        if self._files is not None:
            self._files.forget_companions()

    def _hold(self) -> sqlite3.Connection:
        """Return the connection that writes: what it has open can be read whatever becomes of the file."""
        is_new = not self._connections.is_held
        held = self._connections.held()
        if is_new and self._files is not None:
            self._files.note_companions()
        return held

    def _mend(self) -> None:
        """Make the file's name lead to what is open again, if it does not; nothing that is held is lost."""
        if self._files is None or self.is_lost or self._files.fate() is Fate.INTACT:
            return
        with self._guard.lock:
            if not self._connections.is_held:  # nothing is open that could be saved
                self.is_lost = True
                refuse(self._path, "was deleted, moved or replaced", "to go on with what is there, try again")
            if self._connections.is_writing:  # by this thread, which comes back when it is done
                return
            self._follow()
            fate = self._files.fate()
            if fate is Fate.INTACT:
                return
            if fate is Fate.COMPANIONS_GONE and self._may_write:
                self._connections.checkpoint()
                self._reopen()
            elif fate is Fate.GONE and self._may_write:
                self._restore()
            else:
                self._give_up(fate)

    def _follow(self) -> None:
        """Open the file that has this name, if it holds all that is open here, or was written by others."""
        if self._files is None or self.is_lost:
            return
        fate = self._files.fate()
        if not self._connections.is_held:
            return
        if fate is Fate.REPLACED:
            self._files.remove_companions()
            if rescue.holds_all(self._path, self._connections.held()):
                self._reopen()
        elif fate is Fate.INTACT and self._files.has_companions and self._files.has_changed():
            self._reopen()  # what SQLite remembers of the file may not be true: it may be a copy over it

    def _reopen(self) -> None:
        with self._guard.quiet():
            stores = list(self._guard.stores)
            for store in stores:
                store.let_go()
            for store in stores:
                store._file, store._files = self._path.stat(), OpenFiles(self._path)
            if self._may_write:
                self._hold()

    def _restore(self) -> None:
        assert self._files is not None
        try:
            rescue.restore(self._connections.held(), self._path, self._files)
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or error
            what = f"was deleted or moved while it was open, and cannot be written again ({reason})"
        else:
            self._reopen()
            self.notice = (
                "was deleted or moved while it was open, and was written again with all that it held",
                "to start anew, delete it while no kernel has it open",
            )
            return
        hint = "make its place usable and try again: this kernel still holds all of it, until it ends"
        refuse(self._path, what, hint)

    def _give_up(self, fate: Fate) -> NoReturn:
        """Save what is held under another name, and let the next use open what has the name."""
        saved = ""
        if self._may_write:
            with suppress(OSError, sqlite3.Error):
                saved = rescue.save_beside(self._connections.held(), self._path).name
        self.is_lost = True
        self.let_go()
        which = "was" if fate is Fate.REPLACED else "or a file that SQLite keeps beside it was"
        what = f"{which} replaced by another file while it was open"
        if saved:
            what += f"; what it held was saved as {saved!r} beside it"
        refuse(self._path, what, "to go on with the file that is there, try again")

    def _refuse_overwritten(self, held: sqlite3.Connection) -> None:
        if self._files is not None and self._last(held) < self._last_event:
            self.is_lost = True
            what = "was overwritten with an older state while it was open"
            refuse(self._path, what, "to go on with the file as it is, try again")

    def _last(self, held: sqlite3.Connection) -> int:
        row = held.execute(_LAST_EVENT).fetchone()
        return 0 if row is None else int(row[0])

    def _checkpoint(self) -> bool:
        """Move the write-ahead log into the file, and return whether there is nothing left to do."""
        with suppress(LogError), log_errors(self._path), self._guard.lock:
            files = self._files
            if self.is_lost or files is None or not files.has_companions or files.fate() is not Fate.INTACT:
                return True
            is_complete = self._connections.checkpoint()
            files.mark()
            return is_complete
        return True

    def _set_up(self) -> None:
        with self.read() as connection:
            if refuse_foreign(self._path, _asker(connection)) == VERSION:
                return
        with self.write() as connection:
            refuse_foreign(self._path, _asker(connection))
            set_up(connection)


def _is_open(path: Path) -> bool:
    try:
        file = path.stat()
    except OSError:
        return False
    return any(os.path.samestat(store._file, file) for store in all_stores())


def _asker(connection: sa.Connection) -> Callable[[str], Any]:
    return lambda query: connection.exec_driver_sql(query).scalar_one()
