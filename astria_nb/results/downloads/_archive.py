"""Pictures as a stream of bytes, for a computer without access to the kernel's disk."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import IO

import pandas as pd

from astria_nb.client import Client
from astria_nb.errors import AstriaError, Problem
from astria_nb.results.downloads._download import list_pictures
from astria_nb.results.downloads._entry import Entry, manifest_line
from astria_nb.results.downloads._fetcher import Fetcher, FetchResult, RemotePicture
from astria_nb.results.downloads._manifest import NAME
from astria_nb.results.downloads._safe_folder import SafeFolder
from astria_nb.results.downloads._workers import map_in_threads
from astria_nb.rows import prompt_frame
from astria_nb.utils.temporary_folder import TemporaryFolder

_BLOCK = 2**18  # bytes that are read from the disk at once
_THREADS = 4  # pictures that wait for their place in the zip file are stored on the disk
_REGULAR_FILE = 0o100644 << 16


class PictureArchive:
    """The pictures of tunes as one zip file, which is created while it is read and never stored as a whole.

    Its file names and its ``manifest.jsonl`` are the same as from `download`, which can continue in the
    unpacked folder. A picture that could not be fetched has a line in the manifest with its ``problem``.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `submit` or `wait`.
    client : Client

    Attributes
    ----------
    name : str
        The file's name.
    saved, total : int
        The number of pictures in the file, and of all pictures.
    problems : list of str
        The missing pictures, and why they are missing.

    Raises
    ------
    AstriaError
        The pictures could not be listed, or there are none.
    """

    name = "astria_pictures.zip"

    def __init__(self, frame: pd.DataFrame, client: Client) -> None:
        self._client = client
        self._pictures, self._gone = list_pictures(frame, client)
        self.saved, self.total = 0, len(self._pictures)
        self.problems = [f"tune {row['tune_id']}: {row['problem']}" for row in self._gone]
        if not self._pictures:
            what = "; ".join(self.problems) or "there are no pictures yet"
            raise AstriaError(Problem("images", what, "wait until the tune has made some"))
        self._entries: list[Entry] = []
        self._failures: list[FetchResult] = []
        self._time = _zip_time(client.now())

    def blocks(self, size: int) -> Generator[bytes, None, None]:
        """Yield the file in blocks of `size` bytes; empty ones while nothing arrives.

        Raises
        ------
        AstriaError
            The disk for temporary files is full, or no picture could be fetched.
        """
        sink = _Sink(size)
        with zipfile.ZipFile(sink, "w") as archive:
            for result in fetch_each(self._client, self._pictures):
                if result is None:
                    yield b""
                elif result.temporary is None or result.entry is None:
                    self._failures.append(result)
                    self.problems.append(f"{_short_name(result.picture)}: {result.problem}")
                else:
                    yield from self._add(archive, sink, result.entry, result.temporary.file)
            if not self.saved:
                raise AstriaError(Problem("images", self.problems[-1], "no picture was saved"))
            archive.writestr(self._info(NAME), self._manifest())
        yield from sink.take_all()

    def _add(self, archive: zipfile.ZipFile, sink: _Sink, entry: Entry, file: IO[bytes]) -> Iterator[bytes]:
        info = self._info(entry.file)
        info.file_size = entry.bytes  # whether its size needs the large form of the header
        file.seek(0)
        with archive.open(info, "w") as target:
            while block := file.read(_BLOCK):
                target.write(block)
                yield from sink.take()
        self._entries.append(entry)
        self.saved += 1

    def _info(self, name: str) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name, self._time)
        info.external_attr = _REGULAR_FILE
        return info

    def _manifest(self) -> str:
        lines = [entry.fields() for entry in sorted(self._entries, key=lambda entry: entry.key)]
        lines += [_failure_fields(result) for result in self._failures]
        lines += [{"tune_id": int(row["tune_id"]), "problem": row["problem"]} for row in self._gone]
        return "".join(map(manifest_line, lines))


class PictureOriginal:
    """One picture as the service returns it, under the name that `download` uses.

    Parameters
    ----------
    prompt_id : int
    number : int
        Which of its pictures, from 1.
    client : Client

    Attributes
    ----------
    name : str
        The file's name, with the suffix of its type once it was fetched.
    saved, total : int
    problems : list of str

    Raises
    ------
    AstriaError
        The service does not have the picture.
    """

    def __init__(self, prompt_id: int, number: int, client: Client) -> None:
        self._client = client
        # Fetched again: addresses are signed for a limited time, and a log does not keep the signatures.
        (prompt,) = prompt_frame([client.prompt(prompt_id)]).to_dict("records")
        if number > len(prompt["images"]):
            problem = Problem("images", "the service no longer has this picture", "press Check again")
            raise AstriaError(problem)
        url = prompt["images"][number - 1]
        self._picture = RemotePicture(prompt_id, number, None, "", url, "")
        self.name = _short_name(self._picture)
        self.saved, self.total = 0, 1
        self.problems: list[str] = []

    def blocks(self, size: int) -> Generator[bytes, None, None]:
        """Yield the file in blocks of `size` bytes; empty ones while nothing arrives.

        Raises
        ------
        AstriaError
            The picture could not be fetched.
        """
        for result in fetch_each(self._client, [self._picture]):
            if result is None:
                yield b""
            elif result.temporary is None or result.entry is None:
                raise AstriaError(Problem("images", str(result.problem), "no picture was saved"))
            else:
                self.name, file = result.entry.file, result.temporary.file
                file.seek(0)
                while block := file.read(size):
                    yield block
                self.saved = 1


def fetch_each(client: Client, pictures: list[RemotePicture]) -> Generator[FetchResult | None, None, None]:
    """Yield each picture in a temporary file, which is removed afterwards; None while nothing arrives.

    Parameters
    ----------
    client : Client
    pictures : list of RemotePicture

    Raises
    ------
    AstriaError
        The disk for temporary files is full. Field ``folder``.
    """
    stop = threading.Event()
    with _disk_errors(), closing(TemporaryFolder()) as temporary, SafeFolder(temporary.path) as folder:
        fetcher = Fetcher(client, folder, stop)
        threads = min(_THREADS, len(pictures))
        for results in map_in_threads(fetcher.fetch, pictures, threads, stop, fetcher.cancel):
            if not results:
                yield None
            for result in results:
                yield result
                if result.temporary is not None:
                    folder.discard(result.temporary)


@contextmanager
def _disk_errors() -> Iterator[None]:
    """Name the folder for temporary files, which the user did not choose, and what helps."""
    try:
        yield
        return
    except OSError as error:
        reason = error.strerror or str(error)
    except AstriaError as error:
        if not any(problem.field == "folder" for problem in error.problems):
            raise
        reason = error.problems[0].what
    what = f"the kernel's disk for temporary files cannot be used ({reason})"
    raise AstriaError(Problem("folder", what, "free some space there, or set TMPDIR to another folder"))


def _failure_fields(result: FetchResult) -> dict[str, object]:
    picture = result.picture
    return {
        "prompt_id": picture.prompt_id,
        "number": picture.number,
        "tune_id": picture.tune_id,
        "text": picture.text,
        "url": picture.redacted_url,
        "problem": result.problem,
    }


def _short_name(picture: RemotePicture) -> str:
    return f"{picture.prompt_id}-{picture.number}"


def _zip_time(time: datetime) -> tuple[int, int, int, int, int, int]:
    """Return a time for a zip file, from 1980 to 2107: the clock of a service may be far off."""
    if not 1980 <= time.year <= 2107:
        return 1980, 1, 1, 0, 0, 0
    return time.year, time.month, time.day, time.hour, time.minute, time.second


class _Sink:
    """Receives what a zip file writes, and returns it in blocks of equal size. It cannot seek."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._buffer = bytearray()

    def write(self, data: bytes, /) -> int:
        """Take some bytes."""
        self._buffer += data
        return len(data)

    def flush(self) -> None:
        """Do nothing: `take` returns the written data."""

    def close(self) -> None:
        """Do nothing, as in `flush`."""

    def take(self) -> Iterator[bytes]:
        """Yield and forget complete blocks."""
        while len(self._buffer) >= self._size:
            yield bytes(self._buffer[: self._size])
            del self._buffer[: self._size]

    def take_all(self) -> Iterator[bytes]:
        """Yield and forget everything; the last block may be smaller."""
        yield from self.take()
        if self._buffer:
            yield bytes(self._buffer)
            self._buffer.clear()
