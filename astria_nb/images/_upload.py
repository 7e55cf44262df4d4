"""The content of an image as it is uploaded, hashed while it is sent."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from io import FileIO
from pathlib import PurePath

from astria_nb.errors import Problem, TuneError
from astria_nb.images._damage import sound_parts
from astria_nb.images._decoding import InvalidImageError
from astria_nb.images._file_kinds import RE_ENCODED
from astria_nb.images._file_memory import FileMemory, identity_of
from astria_nb.images._image import Image
from astria_nb.images._only_smaller import only_smaller
from astria_nb.images._preprocessing import Preprocessing
from astria_nb.images._resizing import needs_resizing, open_resized
from astria_nb.images._temporary_copy import StorageError
from astria_nb.images.metadata import (
    DamagedImageError,
    ImageReader,
    MalformedImageError,
    Part,
    entire_file,
    without_metadata,
)
from astria_nb.utils.interrupts import raise_if_interrupted
from astria_nb.utils.progress import ReportProgress

BLOCK = 2**20  # measured: smaller blocks need more calls, larger ones only more memory
_HASH_BLOCK = 2**18
_NETWORK = 500e6  # bytes a second, faster than any network that photos are sent over
_CONCURRENT = 2  # images that are decoded at once: a JPEG that is made smaller takes 40 MB of memory
_SILENT_SECONDS = 0.5
_sending: set[SentImage] = set()
_MOST_BYTES = 4096  # that are remembered of a file, such as a colour profile
_cleaned = FileMemory[Sequence[Part]]()
_SUFFIXES = {"image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"), "image/png": (".png",)}


class SentImage:
    """An image that is open for upload; its content is hashed while it is read.

    Parameters
    ----------
    filename : str
        The name that is sent to the service.
    media_type : str
    file : FileIO
        Unbuffered; closed by `close`.
    parts : sequence of (range or bytes)
        What is sent: byte ranges of the file, and bytes between them.

    Attributes
    ----------
    size : int
        Bytes that are sent.
    """

    def __init__(self, filename: str, media_type: str, file: FileIO, parts: Sequence[Part]) -> None:
        self.filename, self.media_type = filename, media_type
        self.size = sum(map(len, parts))
        self._file, self._reader, self._parts = file, ImageReader(file), parts
        self._digest, self._hashed = hashlib.sha256(), 0

    @classmethod
    def open(cls, image: Image, preprocessing: Preprocessing) -> SentImage:
        """Open an image and determine what of it is sent.

        Raises
        ------
        TuneError
            It was deleted, cannot be read, or cannot be preprocessed. Field ``images``.
        """
        try:
            return _open(image, preprocessing)
        except FileNotFoundError:
            reason, hint = "no longer exists", "put it back, or remove it"
        except InvalidImageError as error:
            reason, hint = f"{error} and cannot be made smaller", "re-save it, or omit max_side"
            if image.media_type in RE_ENCODED:
                hint = "re-save it as JPEG, or remove it"
        except MalformedImageError as error:
            reason = f"{error}, so its metadata cannot be removed reliably"
            hint = "re-save it, remove it, or send it unchanged with keep_metadata=True"
        except DamagedImageError as error:
            reason = f"{error}: its picture cannot be decoded to its end"
            hint = "re-save it, remove it, or send it as it is with keep_damaged=True"
        except StorageError as error:
            reason = f"cannot be made smaller: its copy cannot be stored ({error})"
            hint = "free some space, or set TMPDIR to another folder and restart the kernel"
        except OSError as error:
            reason, hint = f"cannot be read ({error.strerror or error})", "put it back, or remove it"
        raise TuneError(Problem("images", f"{image.filename!r} {reason}", hint))

    def close(self) -> None:
        """Close the file; a hash that is not complete by then stays so."""
        self._file.close()

    def blocks(self, buffer: memoryview) -> Iterator[memoryview]:
        """Yield the content in blocks, each in the same buffer.

        Raises
        ------
        TuneError
            The file is shorter than when it was opened, or cannot be read.
        """
        _sending.add(self)
        try:
            yield from self._blocks(buffer)
        finally:
            _sending.discard(self)

    def _blocks(self, buffer: memoryview) -> Iterator[memoryview]:
        done = 0
        while done < self.size:
            try:
                count = self._fill(done, buffer)
            except OSError:  # would pass for a network error
                count = 0
            if not count:
                what = f"{self.filename!r} could not be read to its end"
                raise TuneError(Problem("images", what, "check it and submit again"))
            started = time.perf_counter()
            yield buffer[:count]
            # The system is still sending what it took, so on a network hashing costs no time. A connection
            # that is faster than this is local; there the hash is computed when it is requested, unless
            # others keep this computer busy: then not having to read the file again counts.
            is_network = count < _NETWORK * (time.perf_counter() - started)
            if self._hashed == done and (is_network or len(_sending) > 1):
                self._hash(buffer[:count])
            done += count

    @property
    def is_hashed(self) -> bool:
        """Whether all of it has been hashed."""
        return self._hashed == self.size

    def sha256(self) -> str | None:
        """Return the hexadecimal hash of what is sent; None if the file cannot be read or was closed."""
        buffer = memoryview(bytearray(min(_HASH_BLOCK, self.size - self._hashed)))
        with suppress(OSError, ValueError):  # a ValueError means that the file was closed
            while self._hashed < self.size:
                count = self._fill(self._hashed, buffer)
                if not count:
                    break
                self._hash(buffer[:count])
        return self._digest.hexdigest() if self.is_hashed else None

    def _hash(self, block: memoryview) -> None:
        self._digest.update(block)
        self._hashed += len(block)

    def _fill(self, offset: int, buffer: memoryview) -> int:
        """Read from an offset of what is sent; fewer bytes than the buffer holds only at the end."""
        done = 0
        for part in self._parts:
            if offset >= len(part):
                offset -= len(part)
                continue
            target = buffer[done : done + len(part) - offset]
            if isinstance(part, range):
                count = self._reader.read_into(part.start + offset, target)
            else:
                count = len(target)
                target[:] = part[offset : offset + count]
            done, offset = done + count, 0
            if count < len(target) or done == len(buffer):
                break
        return done


def open_all(
    images: Sequence[Image], preprocessing: Preprocessing, report: ReportProgress | None = None
) -> list[SentImage]:
    """Open images for upload, in order. An interrupt of the call that this thread runs ends it.

    Parameters
    ----------
    images : sequence of Image
    preprocessing : Preprocessing
    report : callable, optional
        Called with a fraction from 0 to 1 and a text, if it takes long.

    Raises
    ------
    TuneError
        With the problems of all images; none is left open.
    """
    # Finding metadata is no faster on two threads; decoding is.
    if len(images) > 1 and (preprocessing.max_side is not None or not preprocessing.keep_damaged):
        return _opened_by_threads(images, preprocessing, report)
    opened: list[SentImage] = []
    problems: list[Problem] = []
    with ExitStack() as undo:
        for image in images:
            try:
                opened.append(SentImage.open(image, preprocessing))
                undo.callback(opened[-1].close)
            except TuneError as error:
                problems += error.problems
        if problems:
            raise TuneError(*problems)
        undo.pop_all()
    return opened


def _opened_by_threads(
    images: Sequence[Image], preprocessing: Preprocessing, report: ReportProgress | None
) -> list[SentImage]:
    opened: list[SentImage] = []
    problems: list[Problem] = []
    with ThreadPoolExecutor(_CONCURRENT) as pool, ExitStack() as undo:
        futures = [pool.submit(SentImage.open, image, preprocessing) for image in images]
        undo.callback(_close, futures)
        undo.callback(pool.shutdown, cancel_futures=True)
        silent_until = time.monotonic() + _SILENT_SECONDS
        for number, future in enumerate(futures):
            raise_if_interrupted()
            if report is not None and time.monotonic() > silent_until:
                report(number / len(futures), f"preparing photo {number + 1} of {len(futures)}")
            try:
                opened.append(future.result())
            except TuneError as error:
                problems += error.problems
        if problems:
            raise TuneError(*problems)
        undo.pop_all()
    return opened


def _close(futures: Sequence[Future[SentImage]]) -> None:
    for future in futures:
        if not future.cancelled() and future.exception() is None:
            future.result().close()


def sha256_of_all(images: Sequence[SentImage]) -> list[str | None]:
    """Return the hash of each image, as `SentImage.sha256`; those that are missing are made two at a time."""
    if sum(not image.is_hashed for image in images) > 1:
        with suppress(RuntimeError), ThreadPoolExecutor(_CONCURRENT) as pool, ExitStack() as undo:
            undo.callback(pool.shutdown, cancel_futures=True)
            return list(pool.map(SentImage.sha256, images))
    # Also where this process may have no more threads: the tune may be paid for, and needs its record.
    return [image.sha256() for image in images]


def sha256_of(path: str, preprocessing: Preprocessing) -> str | None:
    """Return the hexadecimal hash of what would be sent of a path or address; None if it cannot be sent."""
    try:
        opened = SentImage.open(Image.open(path), preprocessing)
    except TuneError:
        return None
    try:
        return opened.sha256()
    finally:
        opened.close()


def filename_for_type(filename: str, media_type: str) -> str:
    """Return a name for a re-encoded image, with another suffix if the present one does not fit.

    Examples
    --------
    >>> filename_for_type("IMG_1.HEIC", "image/jpeg"), filename_for_type("a.JPG", "image/jpeg")
    ('IMG_1.jpg', 'a.JPG')
    """
    suffixes = _SUFFIXES[media_type]
    path = PurePath(filename)
    return filename if path.suffix.lower() in suffixes else f"{path.stem}{suffixes[0]}"


def _open(image: Image, preprocessing: Preprocessing) -> SentImage:
    if preprocessing.max_side is not None and needs_resizing(image, preprocessing.max_side):
        file, media_type = open_resized(
            image, preprocessing.max_side, keep_damaged=preprocessing.keep_damaged
        )
        return SentImage(filename_for_type(image.filename, media_type), media_type, file, entire_file(file))
    if (problem := only_smaller(image, preprocessing)) is not None:
        raise TuneError(problem)
    file = image.path.open("rb", buffering=0)
    try:
        is_whole = preprocessing.keep_metadata or image.is_caption
        parts = entire_file(file) if is_whole else _parts_without_metadata(file)
        if not (preprocessing.keep_damaged or image.is_caption):
            parts = sound_parts(file, parts, image.media_type, is_whole=is_whole)
    except BaseException:
        file.close()
        raise
    return SentImage(image.filename, image.media_type, file, parts)


def _parts_without_metadata(file: FileIO) -> Sequence[Part]:
    """Return what is sent of a file, which is searched once: a batch checks all before it sends any."""
    identity = identity_of(file)
    if (remembered := _cleaned.get(identity)) is not None:
        return remembered
    parts = tuple(without_metadata(file, verifies_data=False))
    if sum(len(part) for part in parts if isinstance(part, bytes)) <= _MOST_BYTES:
        _cleaned.put(identity, parts)
    return parts
