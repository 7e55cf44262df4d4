"""An image as it is sent: what goes out of its file, and the hash of that in the making."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import PurePath

from astria_nb.errors import Problem, TuneError
from astria_nb.images.decoding import NotAPictureError
from astria_nb.images.image import Image
from astria_nb.images.metadata import Piece, Source, UncertainError, whole, without_metadata
from astria_nb.images.preprocessing import Preprocessing
from astria_nb.images.resizing import is_needed, open_small
from astria_nb.utils.formatting import format_size

BLOCK = 2**20  # measured: smaller blocks cost calls, larger ones only memory
_NETWORK = 500e6  # bytes a second, faster than what a photo travels on
_AT_ONCE = 2  # pictures that are made smaller at the same time: each takes 40 MB of memory
_SUFFIXES = {"image/jpeg": (".jpg", ".jpeg"), "image/png": (".png",)}


class SentImage:
    """An image that is open to be sent, and its hash in the making.

    Parameters
    ----------
    filename : str
        The name that the service is told.
    media_type : str
    file : FileIO
        Unbuffered; closed by `close`.
    pieces : sequence of (range or bytes)
        What is sent: stretches of the file, and bytes between them.

    Attributes
    ----------
    size : int
        Bytes that are sent.
    """

    def __init__(self, filename: str, media_type: str, file: FileIO, pieces: Sequence[Piece]) -> None:
        self.filename, self.media_type = filename, media_type
        self.size = sum(map(len, pieces))
        self._file, self._source, self._pieces = file, Source(file), pieces
        self._digest, self._hashed = hashlib.sha256(), 0

    @classmethod
    def open(cls, image: Image, preprocessing: Preprocessing) -> SentImage:
        """Open an image and find out what of it is sent.

        Raises
        ------
        TuneError
            It vanished, cannot be read, or cannot be treated so. Field ``images``.
        """
        try:
            return _open(image, preprocessing)
        except FileNotFoundError:
            reason, hint = "is no longer there", "put it back, or take it out"
        except NotAPictureError as error:
            reason, hint = f"{error} and cannot be made smaller", "mend it, or leave out max_side"
        except UncertainError as error:
            reason = f"{error}, so nobody can tell what it gives away beside its picture"
            hint = "save it anew, take it out, or send it as it is by keep_metadata=True"
        except OSError as error:
            reason, hint = f"cannot be read ({error.strerror})", "put it back, or take it out"
        raise TuneError(Problem("images", f"{image.filename!r} {reason}", hint))

    def close(self) -> None:
        """Let go of the file; a hash that is missing by then stays so."""
        self._file.close()

    def blocks(self, buffer: memoryview) -> Iterator[memoryview]:
        """Yield what is sent, each block in the same buffer.

        Raises
        ------
        TuneError
            The file ends before it should.
        """
        done = 0
        while done < self.size:
            try:
                count = self._fill(done, buffer)
            except OSError:  # else it would pass for a fault of the network
                count = 0
            if not count:
                what = f"{self.filename!r} could not be read to its end"
                raise TuneError(Problem("images", what, "check it and submit again"))
            started = time.perf_counter()
            yield buffer[:count]
            # The system still sends what it took: on a network, hashing costs no time. A line that takes
            # blocks faster than this is this machine's own, and the hash is made up for when it is asked for.
            if self._hashed == done and count < _NETWORK * (time.perf_counter() - started):
                self._hash(buffer[:count])
            done += count

    def sha256(self) -> str | None:
        """Return the hash of what is sent, in hexadecimal; None where the disk fails, or it was closed."""
        buffer = memoryview(bytearray(min(BLOCK, self.size - self._hashed)))
        with suppress(OSError, ValueError):  # a ValueError is that the file was closed
            while self._hashed < self.size:
                count = self._fill(self._hashed, buffer)
                if not count:
                    break
                self._hash(buffer[:count])
        return self._digest.hexdigest() if self._hashed == self.size else None

    def _hash(self, block: memoryview) -> None:
        self._digest.update(block)
        self._hashed += len(block)

    def _fill(self, at: int, buffer: memoryview) -> int:
        """Read from a place of what is sent; less than the buffer holds only where the file ends."""
        done = 0
        for piece in self._pieces:
            if at >= len(piece):
                at -= len(piece)
                continue
            room = buffer[done : done + len(piece) - at]
            if isinstance(piece, range):
                count = self._source.fill(piece.start + at, room)
            else:
                count = len(room)
                room[:] = piece[at : at + count]
            done, at = done + count, 0
            if count < len(room) or done == len(buffer):
                break
        return done


def open_all(images: Sequence[Image], preprocessing: Preprocessing) -> list[SentImage]:
    """Open images to be sent, in order.

    Raises
    ------
    TuneError
        With what is wrong with each of them; none is left open.
    """
    found: list[SentImage] = []
    problems: list[Problem] = []
    at_once = _AT_ONCE if preprocessing.max_side else 1  # looking through a file is no faster in two threads
    with ThreadPoolExecutor(at_once) as pool, ExitStack() as undo:
        futures = [pool.submit(SentImage.open, each, preprocessing) for each in images]
        undo.callback(_close, futures)
        undo.callback(pool.shutdown, cancel_futures=True)
        for future in futures:
            try:
                found.append(future.result())
            except TuneError as error:
                problems += error.problems
        if problems:
            raise TuneError(*problems)
        undo.pop_all()
    return found


def _close(futures: Sequence[Future[SentImage]]) -> None:
    for future in futures:
        if not future.cancelled() and future.exception() is None:
            future.result().close()


@dataclass(frozen=True, slots=True)
class Weight:
    """What images weigh on the disk and as they are sent, in bytes.

    Examples
    --------
    >>> print(Weight(31_400_000, 6_020_000))
    31 MB → 6.0 MB
    """

    files: int
    sent: int

    def __str__(self) -> str:
        return f"{format_size(self.files)} → {format_size(self.sent)}"


def weigh(images: Sequence[Image], preprocessing: Preprocessing) -> Weight:
    """Return what a preprocessing saves; pictures that it makes smaller are kept for when they are sent.

    Takes 0.1 s of a core for a picture of 12 megapixels, so it belongs on a thread of its own.

    Raises
    ------
    TuneError
        As `open_all`.
    """
    sent = open_all(images, preprocessing)
    for each in sent:
        each.close()
    return Weight(sum(each.size for each in images), sum(each.size for each in sent))


def sha256_of(path: PurePath, preprocessing: Preprocessing) -> str | None:
    """Return the hash of what would be sent of a file, in hexadecimal; None where nothing can be."""
    try:
        sent = SentImage.open(Image.open(path), preprocessing)
    except TuneError:
        return None
    try:
        return sent.sha256()
    finally:
        sent.close()


def renamed(filename: str, media_type: str) -> str:
    """Return a name for a picture that was made anew: as it was, but with an ending that fits.

    Examples
    --------
    >>> renamed("IMG_1.HEIC", "image/jpeg"), renamed("a.JPG", "image/jpeg")
    ('IMG_1.jpg', 'a.JPG')
    """
    suffixes = _SUFFIXES[media_type]
    path = PurePath(filename)
    return filename if path.suffix.lower() in suffixes else f"{path.stem}{suffixes[0]}"


def _open(image: Image, preprocessing: Preprocessing) -> SentImage:
    if preprocessing.max_side is not None and is_needed(image, preprocessing.max_side):
        file, media_type = open_small(image, preprocessing.max_side)
        return SentImage(renamed(image.filename, media_type), media_type, file, whole(file))
    if image.media_type == "image/heic" and not preprocessing.keep_metadata:
        what = f"{image.filename!r} is HEIC, whose metadata cannot be taken out without loss"
        hint = "send it as a JPEG by max_side=2048, or as it is by keep_metadata=True"
        raise TuneError(Problem("images", what, hint))
    file = image.path.open("rb", buffering=0)
    try:
        pieces = whole(file) if preprocessing.keep_metadata else without_metadata(file)
    except BaseException:
        file.close()
        raise
    return SentImage(image.filename, image.media_type, file, pieces)
