"""Whether the picture in a file can be fully decoded. Decoders fill a damaged one with grey."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO, FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astria_nb.images._decoding import open_image
from astria_nb.images._file_memory import FileMemory, identity_of
from astria_nb.images._webp_surplus import is_animated, without_surplus
from astria_nb.images.metadata import (
    DamagedImageError,
    ImageReader,
    MalformedImageError,
    Part,
    read_frame,
    without_metadata,
)

if TYPE_CHECKING:
    from PIL import Image as Pillow

_undamaged_files = FileMemory[bool]()


class UncheckableImageError(Exception):
    """It cannot be determined whether a picture is complete; the message is a predicate."""


def undamaged_parts(
    file: FileIO, parts: Sequence[Part], media_type: str, *, is_whole: bool
) -> Sequence[Part]:
    """Return what to send of a file whose picture is complete: ``parts``, or less of a PNG or WebP.

    A file is decoded only once unless it changes. Thread-safe.

    Parameters
    ----------
    file : FileIO
        Unbuffered.
    parts : sequence of (range or bytes)
        The parts of the file that are sent.
    media_type : str
    is_whole : bool
        Whether it is sent with its metadata.

    Raises
    ------
    DamagedImageError
        The picture cannot be fully decoded, or only with errors.
    UncheckableImageError
        It cannot be determined whether the picture is complete.
    MalformedImageError
        A PNG holds more than its pixels, and is not sent with its metadata.
    OSError
        The file cannot be read.
    """
    identity = identity_of(file)
    if _undamaged_files.get(identity):
        return parts
    if media_type == "image/png":
        verified = _verified_png(file, parts, is_whole=is_whole)
        if verified != parts:  # not remembered: the parts to leave out have to be found again
            return parts if is_whole else verified
    elif media_type == "image/jpeg":
        check_jpeg(content_of(file, _without_stray_bytes(file, parts) if is_whole else parts))
    elif media_type == "image/webp" and not is_whole:
        content = content_of(file, parts)
        if (shorter := _shorter_webp(content)) != content:
            return [shorter]
    else:
        _check_by_pillow(content_of(file, parts))
    _undamaged_files.put(identity, True)
    return parts


def decoded_jpeg(path: Path, min_side: int) -> tuple[Pillow.Image | None, str | None]:
    """Decode a JPEG, and find out at the same time whether it is complete.

    Parameters
    ----------
    path : Path
    min_side : int
        Sufficient pixels a side, as in `astria_nb.images._decoding.decode`.

    Returns
    -------
    (PIL.Image.Image or None, str or None)
        The image in RGB (CMYK is treated as RGB) and without metadata; None if it has to be decoded
        otherwise. And what is wrong with it: a predicate without a subject.
    """
    from PIL import Image as Pillow

    try:
        with path.open("rb", buffering=0) as file:
            identity = identity_of(file)
            content = content_of(file, without_metadata(file, verifies_data=False))
        pixels = _decoded_jpeg(content, "RGB", min_side)
    except DamagedImageError as error:
        return None, str(error)
    except (MalformedImageError, OSError):
        return None, None
    if pixels is not None:
        _undamaged_files.put(identity, True)
    return (None if pixels is None else Pillow.fromarray(pixels)), None


def content_of(file: FileIO, parts: Sequence[Part]) -> bytes:
    """Return the parts of a file that are sent."""
    reader = ImageReader(file)
    return b"".join(reader.read(part.start, len(part)) if isinstance(part, range) else part for part in parts)


def check_jpeg(content: bytes) -> None:
    """Check that libjpeg decodes a JPEG without a warning.

    Raises
    ------
    DamagedImageError
        It warns.
    UncheckableImageError
        The interface to libjpeg does not know its subsampling. Pillow does, but hides warnings.
    """
    # An eighth of the size in grey is the fastest; all of the data is decoded.
    if _decoded_jpeg(content, "GRAY", 1) is None:
        raise UncheckableImageError("has an unusual colour subsampling")


def _decoded_jpeg(content: bytes, colours: str, min_side: int) -> Any:
    """Return the pixels of a JPEG; None if it has to be decoded otherwise.

    Raises
    ------
    DamagedImageError
        libjpeg decodes it with a warning, or not at all.
    """
    import simplejpeg  # slow to import

    frame = read_frame(BytesIO(content))
    if frame is None or not frame.is_ordinary:  # the file was replaced after it was opened
        raise DamagedImageError("is damaged")
    shorter, is_quick = min(frame.height, frame.width), min_side == 1
    scale = next((scale for scale in (8, 4, 2) if shorter // scale >= min_side), 1)
    size = {"min_height": -(-frame.height // scale), "min_width": -(-frame.width // scale)}
    try:
        return simplejpeg.decode_jpeg(content, colours, fastdct=is_quick, fastupsample=True, **size)
    except ValueError as error:
        if str(error).startswith("tj"):  # its interface does not know every subsampling
            return None
        what = "is incomplete" if "Premature end" in str(error) else f"is damaged ({error})"
        raise DamagedImageError(what) from None


def _check_by_pillow(content: bytes) -> None:
    try:
        with open_image(content) as image:
            for number in range(getattr(image, "n_frames", 1)):
                image.seek(number)
                image.load()
    except OSError:
        raise DamagedImageError("is damaged") from None


def _shorter_webp(content: bytes) -> bytes:
    try:
        if is_animated(content):
            _check_by_pillow(content)
        return without_surplus(content)
    except OSError:
        raise DamagedImageError("is damaged") from None


def _without_stray_bytes(file: FileIO, parts: Sequence[Part]) -> Sequence[Part]:
    """Return the parts of a JPEG without the bytes between its segments that decoders skip."""
    with suppress(MalformedImageError):
        return without_metadata(file, verifies_data=False)
    return parts


def _verified_png(file: FileIO, parts: Sequence[Part], *, is_whole: bool) -> Sequence[Part]:
    """Return the parts of a PNG whose pixels are complete, without metadata and what follows the pixels."""
    try:
        verified = without_metadata(file, verifies_data=True)
    except MalformedImageError:
        if not is_whole:
            raise
        _check_by_pillow(content_of(file, parts))
        return parts
    return verified
