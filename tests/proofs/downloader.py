"""A process that downloads in child processes, which the proof kills.

For each path of a folder that it reads, it forks and prints the child's process id, and its exit code once
it has ended. Everything is imported beforehand, so that a child starts within milliseconds.

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
from astria_nb.results.downloads._fetcher import Fetcher, FetchResult, RemotePicture
from astria_nb.results.downloads._manifest import NAME, Manifest
from astria_nb.results.downloads._run import DownloadRun
from astria_nb.results.downloads._safe_folder import SafeFolder, TemporaryFile
from helpers.picture_host import ROW


def mutate(mutant: str) -> None:
    """Break one of the guarantees, to check that the proof notices."""
    if mutant == "in place":
        write_in_place()
    elif mutant == "entry first":
        write_entry_first()
    elif mutant == "torn manifest":
        tear_the_manifest()
    elif mutant == "no sweep":
        SafeFolder.sweep = lambda _self: None  # type: ignore[method-assign]
    elif mutant == "trusting":
        Manifest.is_complete = lambda *_: True  # type: ignore[assignment]
    elif mutant:
        raise ValueError(mutant)


def write_in_place() -> None:
    """Give a picture its final name before it is complete."""
    attempt, create, local = Fetcher._attempt, SafeFolder.create_temporary, threading.local()

    def attempting(self: Fetcher, picture: RemotePicture) -> FetchResult:
        local.picture = picture
        return attempt(self, picture)

    def named(self: SafeFolder) -> TemporaryFile:
        if not hasattr(local, "picture"):  # the manifest
            return create(self)
        name = f"{local.picture.prompt_id}-1.jpg"
        temporary = TemporaryFile(name, (self.path / name).open("w+b"))
        self._temporaries.add(temporary)
        return temporary

    Fetcher._attempt, SafeFolder.create_temporary = attempting, named  # type: ignore[method-assign]


def write_entry_first() -> None:
    """Write the entry of a picture before the file has its name."""
    publish = DownloadRun._publish_file

    def early(self: DownloadRun, result: Any) -> None:
        self._manifest.write(add=[result.entry])
        time.sleep(0.005)
        self._manifest._entries.pop(result.entry.prompt_id)
        publish(self, result)

    DownloadRun._publish_file = early  # type: ignore[method-assign]


def tear_the_manifest() -> None:
    """Overwrite the manifest line by line instead of replacing it."""
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
