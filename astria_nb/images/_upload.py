"""Images that are open for upload."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from io import FileIO
from pathlib import PurePath

from astria_nb.errors import Problem, TuneError
from astria_nb.images._damage import UncheckableImageError, undamaged_parts
from astria_nb.images._decoding import InvalidImageError
from astria_nb.images._file_kinds import RE_ENCODED
from astria_nb.images._file_memory import MOST_BYTES, FileMemory, identity_of
from astria_nb.images._hashed_content import HashedContent
from astria_nb.images._image import Image
from astria_nb.images._only_smaller import only_smaller
from astria_nb.images._preprocessing import Preprocessing
from astria_nb.images._resizing import needs_resizing, open_resized
from astria_nb.images._temporary_copy import StorageError
from astria_nb.images.metadata import (
    DamagedImageError,
    MalformedImageError,
    Part,
    entire_file,
    size_of_bytes,
    without_metadata,
)
from astria_nb.utils.formatting import quoted
from astria_nb.utils.interrupts import raise_if_interrupted
from astria_nb.utils.progress import ReportProgress
from astria_nb.utils.remedies import Remedy

_CONCURRENT = 2  # images that are decoded at once: a JPEG that is made smaller takes 40 MB of memory
_SILENT_SECONDS = 0.5
_KEEP = f"re-save it, remove it, or send it as it is {Remedy.KEEP_DAMAGED}"
_cleaned = FileMemory[Sequence[Part]]()
_SUFFIXES = {"image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"), "image/png": (".png",)}


class SentImage(HashedContent):
    """An image that is open for upload.

    Parameters
    ----------
    filename, file, parts : str, FileIO, sequence of (range or bytes)
        As for `HashedContent`.
    media_type : str
    """

    def __init__(self, filename: str, media_type: str, file: FileIO, parts: Sequence[Part]) -> None:
        super().__init__(filename, file, parts)
        self.media_type = media_type

    @classmethod
    def open(cls, image: Image, preprocessing: Preprocessing) -> SentImage:
        """Open an image and determine which parts of it are sent.

        Raises
        ------
        TuneError
            The image was deleted, cannot be read, or cannot be preprocessed. Field ``images``.
        """
        try:
            return _open(image, preprocessing)
        except FileNotFoundError:
            reason, hint = "no longer exists", "put it back, or remove it"
        except InvalidImageError as error:
            reason, hint = f"{error} and cannot be made smaller", f"re-save it, or {Remedy.NOT_SMALLER}"
            if image.media_type in RE_ENCODED:
                hint = "re-save it as JPEG, or remove it"
        except MalformedImageError as error:
            reason = f"{error}, so its metadata cannot be removed reliably"
            hint = f"re-save it, remove it, or send it unchanged {Remedy.KEEP_METADATA}"
        except DamagedImageError as error:
            reason = f"{error}: its picture cannot be fully decoded"
            hint = _KEEP
        except UncheckableImageError as error:
            reason, hint = f"{error}, so it cannot be checked that it is complete", _KEEP
        except StorageError as error:
            reason = f"cannot be made smaller: its copy cannot be stored ({error})"
            hint = "free some space, or set TMPDIR to another folder and restart the kernel"
        except OSError as error:
            reason, hint = f"cannot be read ({error.strerror or error})", "put it back, or remove it"
        raise TuneError(Problem("images", f"{quoted(image.filename)} {reason}", hint))


def open_all(
    images: Sequence[Image], preprocessing: Preprocessing, report: ReportProgress | None = None
) -> list[SentImage]:
    """Open images for upload, in order. An interrupt of this thread's shielded call ends it.

    Parameters
    ----------
    images : sequence of Image
    preprocessing : Preprocessing
    report : callable, optional
        Called with a fraction from 0 to 1 and a text, if it takes long.

    Raises
    ------
    TuneError
        With the problems of all images; no file is left open.
    """
    # Only decoding is faster on two threads; finding metadata is not.
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
    """Return the hash of each image, as `SentImage.sha256`; missing ones are computed two at a time."""
    if sum(not image.is_hashed for image in images) > 1:
        with suppress(RuntimeError), ThreadPoolExecutor(_CONCURRENT) as pool, ExitStack() as undo:
            undo.callback(pool.shutdown, cancel_futures=True)
            return list(pool.map(SentImage.sha256, images))
    # This must work without more threads, too: the tune may be paid for, and needs its record.
    return [image.sha256() for image in images]


def sha256_of(path: str, preprocessing: Preprocessing) -> str | None:
    """Return the hexadecimal hash of what would be sent for a path or address; None if it cannot be sent."""
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
            parts = undamaged_parts(file, parts, image.media_type, is_whole=is_whole)
    except BaseException:
        file.close()
        raise
    return SentImage(image.filename, image.media_type, file, parts)


def _parts_without_metadata(file: FileIO) -> Sequence[Part]:
    """Return the parts of a file that are sent; cached, since a batch checks all files first."""
    identity = identity_of(file)
    if (remembered := _cleaned.get(identity)) is not None:
        return remembered
    parts = tuple(without_metadata(file, verifies_data=False))
    if size_of_bytes(parts) <= MOST_BYTES:
        _cleaned.put(identity, parts)
    return parts
