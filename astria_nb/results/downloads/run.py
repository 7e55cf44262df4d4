"""One run of a download: what is there is left alone, what is missing comes, and the record follows."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from astria_nb.client.client import Client
from astria_nb.errors import AstriaError
from astria_nb.results.downloads.fetcher import Fetched, Fetcher, Wanted
from astria_nb.results.downloads.manifest import Entry, Manifest
from astria_nb.results.downloads.safe_folder import SafeFolder, plainly
from astria_nb.results.downloads.workers import in_parallel
from astria_nb.utils.formatting import format_size

Say = Callable[[float, str], None]
Row = dict[str, Any]
_PATIENCE = 1.0  # seconds to look in silence: a notebook where all is there reads the same each time
_SHARE = 5  # times as long as writing the record takes, until it is written again


class DownloadRun:
    """Brings pictures into a folder.

    Parameters
    ----------
    client : Client
    folder : SafeFolder
    wanted : sequence of Wanted
    threads : int
    say : callable
        Is told how far it is.
    """

    def __init__(
        self, client: Client, folder: SafeFolder, wanted: Sequence[Wanted], threads: int, say: Say
    ) -> None:
        self._folder, self._wanted, self._threads, self._say = folder, wanted, threads, say
        self._stop = threading.Event()
        self._fetcher = Fetcher(client, folder, self._stop)
        self._ready: deque[Fetched] = deque()
        self._unrecorded: list[Entry] = []
        self._rows: list[Row] = []
        ends = [each.expires_at for each in wanted if each.expires_at is not None]
        self._until = f" · kept by the service until {min(ends):%Y-%m-%d}" if ends else ""
        with plainly(folder.path):
            folder.sweep()
            self._manifest = Manifest(folder)

    def run(self) -> list[Row]:
        """Return a row for each picture, as they came."""
        missing = self._look()
        try:
            self._fetch(missing)
        except BaseException:
            with suppress(AstriaError):  # the first failure is told
                self._publish()
            raise
        self._publish()
        if self._wanted:
            self._tell()
        return self._rows

    def _look(self) -> list[Wanted]:
        """Find what is there; strike from the record what is not as it says."""
        quiet_until = time.monotonic() + _PATIENCE
        missing: list[Wanted] = []
        wrong: list[Entry] = []
        for looks in in_parallel(self._entry, self._wanted, self._threads, self._stop, self._stop.set):
            for wanted, entry, is_right in looks:
                if is_right and entry is not None:
                    self._rows.append(_row(wanted, "there", entry))
                    continue
                missing.append(wanted)
                if entry is not None:
                    wrong.append(entry)
            if time.monotonic() > quiet_until:
                self._tell()
        if wrong:  # before anything takes its place
            with plainly(self._folder.path), self._folder.alone():
                self._manifest.read()
                self._manifest.write(drop=wrong)
        return missing

    def _entry(self, wanted: Wanted) -> tuple[Wanted, Entry | None, bool]:
        entry = self._manifest.find(wanted.key)
        is_right = entry is not None and entry.url == wanted.address and self._manifest.is_whole(entry)
        return wanted, entry, is_right

    def _fetch(self, missing: Sequence[Wanted]) -> None:
        due = 0.0
        if missing:
            self._tell()
        for outcomes in in_parallel(
            self._fetcher.fetch, missing, self._threads, self._stop, self._fetcher.cancel
        ):
            for each in outcomes:
                if each.made is None:
                    self._rows.append(_row(each.wanted, "failed", problem=each.problem))
                else:
                    self._ready.append(each)
            if self._ready and (started := time.monotonic()) >= due:
                self._publish()
                due = time.monotonic() + _SHARE * (time.monotonic() - started)
            self._tell()

    def _publish(self) -> None:
        """Give what has come its names, then record it: an entry never stands for less than a whole file."""
        if not self._ready and not self._unrecorded:
            return
        with plainly(self._folder.path), self._folder.alone():
            self._manifest.read()
            while self._ready:
                self._place(self._ready[0])
                self._ready.popleft()
            self._folder.sync()
            self._manifest.write(add=self._unrecorded)
            self._unrecorded.clear()

    def _place(self, fetched: Fetched) -> None:
        wanted, entry, made = fetched.wanted, fetched.entry, fetched.made
        assert entry is not None
        assert made is not None
        theirs = self._manifest.find(entry.key)
        if theirs is not None and theirs.url == entry.url and self._manifest.is_whole(theirs):
            self._folder.discard(made)  # another process was faster
            self._rows.append(_row(wanted, "there", theirs))
            return
        try:
            self._folder.publish(made, entry.file)
        except IsADirectoryError:
            self._folder.discard(made)
            problem = f"{entry.file} is a folder; move it elsewhere, and call it again"
            self._rows.append(_row(wanted, "failed", problem=problem))
            return
        self._unrecorded.append(entry)
        self._rows.append(_row(wanted, "saved", entry))

    def _tell(self) -> None:
        done, total = len(self._rows), len(self._wanted)
        text = f"{done} of {total} pictures · {format_size(self._fetcher.bytes)}{self._until}"
        if (held := self._fetcher.held()) >= 1:
            text += f" · asked to wait {held:.0f} s"
        self._say(done / total, text)


def _row(wanted: Wanted, status: str, entry: Entry | None = None, problem: str | None = None) -> Row:
    told = {
        "prompt_id": wanted.prompt_id,
        "number": wanted.number,
        "tune_id": wanted.tune_id,
        "status": status,
        "problem": problem,
        "expires_at": wanted.expires_at,
        "url": wanted.address,
    }
    if entry is not None:
        told |= {"file": entry.file, "bytes": entry.bytes, "sha256": entry.sha256}
    return told
