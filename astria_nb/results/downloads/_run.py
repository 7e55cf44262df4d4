"""One run of a download: check the files that exist, fetch the missing ones, and update the manifest."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from astria_nb.client import Client
from astria_nb.errors import AstriaError
from astria_nb.results.downloads._entry import Entry, names_for
from astria_nb.results.downloads._fetcher import Fetcher, FetchResult, RemotePicture
from astria_nb.results.downloads._folder_errors import folder_errors
from astria_nb.results.downloads._manifest import Manifest
from astria_nb.results.downloads._matching import match
from astria_nb.results.downloads._safe_folder import SafeFolder
from astria_nb.results.downloads._workers import map_in_threads
from astria_nb.utils.formatting import format_size

Row = dict[str, Any]
_SILENT_SECONDS = 1.0  # before the display appears: the output of a repeated download stays the same
_PUBLISH_RATIO = 5  # the manifest is written again after this multiple of the time that writing it took


class DownloadRun:
    """Downloads pictures into a folder.

    Parameters
    ----------
    client : Client
    folder : SafeFolder
    pictures : sequence of RemotePicture
    threads : int
        The number of pictures to download at a time.
    on_progress : callable
        Called with the completed fraction, from 0 to 1, and the same as text.
    """

    def __init__(
        self,
        client: Client,
        folder: SafeFolder,
        pictures: Sequence[RemotePicture],
        threads: int,
        on_progress: Callable[[float, str], None],
    ) -> None:
        self._folder, self._pictures, self._threads = folder, pictures, threads
        self._on_progress = on_progress
        self._stop = threading.Event()
        self._fetcher = Fetcher(client, folder, self._stop)
        self._unpublished: deque[FetchResult] = deque()
        self._unrecorded: list[Entry] = []
        self._rows: list[Row] = []
        expiries = [picture.expires_at for picture in pictures if picture.expires_at is not None]
        self._expiry = f" · kept by the service until {min(expiries):%Y-%m-%d}" if expiries else ""
        with folder_errors(folder.path):
            folder.sweep()
            self._manifest = Manifest(folder)
        self._matches = match(pictures, self._manifest)

    def run(self) -> list[Row]:
        """Return a row per picture, in the order in which they were finished."""
        missing = self._find_missing()
        try:
            self._fetch(missing)
        except BaseException:
            with suppress(AstriaError):  # the first error is the one to raise
                self._publish()
            raise
        self._publish()
        if self._pictures:
            self._report()
        return self._rows

    def _find_missing(self) -> list[RemotePicture]:
        """Return the pictures to download."""
        silent_until = time.monotonic() + _SILENT_SECONDS
        missing: list[RemotePicture] = []
        for checks in map_in_threads(self._check, self._pictures, self._threads, self._stop, self._stop.set):
            for picture, entry in checks:
                if entry is None:
                    missing.append(picture)
                else:
                    self._rows.append(_row(picture, "there", entry))
            if time.monotonic() > silent_until:
                self._report()
        return missing

    def _check(self, picture: RemotePicture) -> tuple[RemotePicture, Entry | None]:
        """Return the entry of a picture whose file is complete."""
        entry = self._matches.same.get(picture.key)
        with folder_errors(self._folder.path):
            return picture, entry if entry is not None and self._manifest.is_complete(entry) else None

    def _fetch(self, missing: Sequence[RemotePicture]) -> None:
        publish_at = 0.0
        if missing:
            self._report()
        for results in map_in_threads(
            self._fetcher.fetch, missing, self._threads, self._stop, self._fetcher.cancel
        ):
            for result in results:
                if result.temporary is None:
                    self._rows.append(self._failed_row(result))
                else:
                    self._unpublished.append(result)
            if self._unpublished and (started := time.monotonic()) >= publish_at:
                self._publish()
                publish_at = time.monotonic() + _PUBLISH_RATIO * (time.monotonic() - started)
            self._report()

    def _failed_row(self, result: FetchResult) -> Row:
        """Return the row of a picture that could not be fetched; a file from a former address is kept."""
        former = self._matches.former.get(result.picture.key, [])
        with folder_errors(self._folder.path):
            entry = next(filter(self._manifest.is_complete, former), None)
        if entry is None:
            return _row(result.picture, "failed", problem=self._failure(result))
        problem = f"kept from its former address, as the new one failed: {result.problem}"
        return _row(result.picture, "there", entry, problem)

    def _failure(self, result: FetchResult) -> str | None:
        entry = self._matches.same.get(result.picture.key)
        if entry is None or not self._folder.has_file(entry.file):
            return result.problem
        return f"{result.problem}. {entry.file} lacks its end, or was changed after it was saved; it was kept"

    def _publish(self) -> None:
        """Give files their names, then write the manifest: a new entry is always that of a complete file."""
        if not self._unpublished and not self._unrecorded:
            return
        with folder_errors(self._folder.path), self._folder.locked():
            self._manifest.read()
            while self._unpublished:
                self._publish_file(self._unpublished[0])
                self._unpublished.popleft()
            self._folder.sync()
            self._manifest.write(add=self._unrecorded)
            self._unrecorded.clear()

    def _publish_file(self, result: FetchResult) -> None:
        picture, entry, temporary = result.picture, result.entry, result.temporary
        assert entry is not None
        assert temporary is not None
        existing = self._manifest.find(entry.prompt_id, entry.number, entry.url)
        if existing is not None and self._manifest.is_complete(existing):
            self._folder.discard(temporary)  # another process was faster
            self._rows.append(_row(picture, "there", existing))
            return
        names = names_for(entry.prompt_id, entry.number, Path(entry.file).suffix)
        name = next(name for name in names if self._folder.may_replace(name, temporary))
        problem = None if name == entry.file else f"{entry.file} is a different file, and was kept"
        entry = replace(entry, file=name)
        self._folder.publish(temporary, name)
        self._unrecorded.append(entry)
        self._rows.append(_row(picture, "saved", entry, problem))

    def _report(self) -> None:
        done, total = len(self._rows), len(self._pictures)
        text = f"{done} of {total} pictures · {format_size(self._fetcher.bytes)}{self._expiry}"
        if (seconds := self._fetcher.back_off_seconds()) >= 1:
            text += f" · rate limited for {seconds:.0f} s"
        self._on_progress(done / total, text)


def _row(picture: RemotePicture, status: str, entry: Entry | None = None, problem: str | None = None) -> Row:
    row = {
        "prompt_id": picture.prompt_id,
        "number": picture.number,
        "tune_id": picture.tune_id,
        "status": status,
        "problem": problem,
        "expires_at": picture.expires_at,
        "url": picture.redacted_url,
    }
    if entry is not None:
        row |= {"file": entry.file, "bytes": entry.bytes, "sha256": entry.sha256}
    return row
