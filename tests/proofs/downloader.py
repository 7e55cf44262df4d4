"""A process that downloads in children of its own, for a judge to kill.

Reads a folder's path for each download, forks, and prints the child's number; then, when the child has ended,
how. It has everything imported, so that a child is at work within milliseconds.

python tests/proofs/downloader.py URL KEY [MUTANT]
"""

import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import astria_nb as anb
from astria_nb.results.downloads.fetcher import Fetched, Fetcher, Wanted
from astria_nb.results.downloads.manifest import NAME, Manifest
from astria_nb.results.downloads.run import DownloadRun
from astria_nb.results.downloads.safe_folder import SafeFolder, Temporary
from helpers.picture_host import ROW


def mutate(mutant: str) -> None:
    """Break one of the promises, to see whether the judge finds out."""
    if mutant == "in place":
        write_in_place()
    elif mutant == "record first":
        record_first()
    elif mutant == "torn record":
        tear_the_record()
    elif mutant == "no sweep":
        SafeFolder.sweep = lambda _self: None  # type: ignore[method-assign]
    elif mutant == "trusting":
        Manifest.is_whole = lambda *_: True  # type: ignore[assignment]
    elif mutant:
        raise ValueError(mutant)


def write_in_place() -> None:
    """Let a picture have its name from the first byte on."""
    attempt, temporary, local = Fetcher._attempt, SafeFolder.temporary, threading.local()

    def attempting(self: Fetcher, wanted: Wanted) -> Fetched:
        local.wanted = wanted
        return attempt(self, wanted)

    def named(self: SafeFolder) -> Temporary:
        if not hasattr(local, "wanted"):  # of the record
            return temporary(self)
        name = f"{local.wanted.prompt_id}-1.jpg"
        made = self._open[name] = Temporary(name, (self.path / name).open("wb"))
        return made

    Fetcher._attempt, SafeFolder.temporary = attempting, named  # type: ignore[method-assign]


def record_first() -> None:
    """Put on record what has no name yet."""
    place = DownloadRun._place

    def early(self: DownloadRun, fetched: Any) -> None:
        self._manifest.write(add=[fetched.entry])
        time.sleep(0.005)
        self._manifest._entries.pop(fetched.entry.key)
        place(self, fetched)

    DownloadRun._place = early  # type: ignore[method-assign]


def tear_the_record() -> None:
    """Write the record line by line over the old one."""
    write = Manifest.write

    def torn(self: Manifest, **changes: Any) -> None:
        write(self, **changes)
        lines = (self._folder.path / NAME).read_bytes().splitlines(keepends=True)
        with (self._folder.path / NAME).open("wb", buffering=0) as file:
            for line in lines:
                file.write(line[:20])
                time.sleep(0.002)
                file.write(line[20:])

    Manifest.write = torn  # type: ignore[method-assign]


def main() -> None:
    url, key, mutant = sys.argv[1], sys.argv[2], [*sys.argv, ""][3]
    mutate(mutant)
    # Once, for all children: what a frame needs is imported.
    with tempfile.TemporaryDirectory() as empty:
        anb.download(ROW.iloc[:0], anb.Client(key, base_url=url), empty)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            status = 9
            try:
                frame = anb.download(ROW, anb.Client(key, base_url=url), line.rstrip("\n"), max_workers=4)
                status = int((frame["status"] == "failed").any())
            finally:
                os._exit(status)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
