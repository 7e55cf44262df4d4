"""Photos from the user's computer: dropped, pasted or picked, and sent in chunks.

The browser sends at most four chunks ahead of the kernel's acknowledgements. Running and failed transfers are
in `DropZone.transfers`, so a reloaded page shows them again. While no thread of the kernel is free, the
browser says so, and continues afterwards.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import traitlets

from astria_nb.form.images._drop_zone_messages import Again, Have, Stop
from astria_nb.form.images._incoming_file import MAX_FILES
from astria_nb.form.images._transfers import Transfers
from astria_nb.form.images._upload_spool import UploadSpool
from astria_nb.images import readable_types
from astria_nb.utils.script import script
from astria_nb.utils.script_widget import ScriptWidget
from astria_nb.utils.stylesheet import stylesheet

_HERE = Path(__file__)


class DropZone(ScriptWidget):
    """A place to drop photos on, paste them into, or pick them from.

    Parameters
    ----------
    on_received : callable
        Called with the path of each complete file. It is in a private folder that is removed when the widget
        is closed (`close`) or the kernel ends.
    folder : Path, optional
        A folder to use instead, which is not removed.

    Examples
    --------
    >>> DropZone(print)
    DropZone()
    """

    _esm = script(_HERE.with_name("drop_zone.js"))
    _css = stylesheet(_HERE.with_name("drop_zone.css"))
    accept = traitlets.Unicode().tag(sync=True)
    """The media types that the file dialog offers."""
    most = traitlets.Int(MAX_FILES).tag(sync=True)
    """The maximum number of files."""
    transfers = traitlets.List(traitlets.Dict()).tag(sync=True)
    """A `TransferRow` for each file that is being sent or failed."""

    def __init__(
        self, on_received: Callable[[Path], None], make_folder: Callable[[], Path] | None = None
    ) -> None:
        self._on_received = on_received
        # Messages arrive on the thread that runs cells and on that of a kernel's subshell, sometimes on both.
        self._lock, self._delivery_lock = threading.RLock(), threading.Lock()
        self._spool = UploadSpool(make_folder)
        self._transfers = Transfers(self._spool, self._reply)
        self._undelivered: deque[Path] = deque()
        super().__init__(accept=",".join(sorted(readable_types())))
        self.on_msg(self._on_message)

    def __repr__(self) -> str:
        return "DropZone()"

    def release(self, path: Path) -> None:
        """Stop counting a file towards the limit; it is not deleted, because tunes may use it."""
        with self._lock:
            self._transfers.release(path)

    def close(self) -> None:
        """Remove the widget, and all files that were received."""
        if self.comm is not None:  # this happens when Python deletes a widget whose constructor failed
            with self._lock:
                self._transfers.clear()
                self._spool.close()
        super().close()

    def _on_message(self, _: DropZone, message: Any, buffers: Sequence[Any]) -> None:
        with self._lock:
            self._transfers.handle(message, buffers)
            self._undelivered.extend(self._transfers.take_completed())
            if self._transfers.rows_changed:
                self._transfers.rows_changed = False
                self.transfers = self._transfers.rows()
        # Not while locked: the receiver may hold its own lock.
        with self._delivery_lock:
            while self._undelivered:
                self._on_received(self._undelivered.popleft())

    def _reply(self, message: Have | Again | Stop) -> None:
        self.send(message)
