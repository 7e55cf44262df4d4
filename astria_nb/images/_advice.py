"""Local checks of training images: too small, blurry, duplicates, too large."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from astria_nb.errors import TuneError
from astria_nb.images._damage import decoded_jpeg
from astria_nb.images._decoding import MAX_PIXELS, decode, one_at_a_time, open_image
from astria_nb.images._file_kinds import RE_ENCODED
from astria_nb.images._heif_rotation import has_only_exif_rotation
from astria_nb.images._image import Image, encode_jpeg
from astria_nb.images._metrics import is_blurry, perceptual_hash
from astria_nb.images._right_way_up import orientation_of, turn_upright
from astria_nb.utils.formatting import format_size

if TYPE_CHECKING:
    from PIL import Image as Pillow

Kind = Literal["unusable", "damaged", "small", "large", "blurry", "sideways", "heic", "duplicate", "similar"]

MIN_SIDE = 512  # astria-api, section 12
_LARGE = 10_000_000  # bytes: section 12 calls 3 MB enough, but a photo from a phone is not a fault
_DECODED_SIDE, _MEASURED_SIDE = 640, 1024  # pixels: at least, at most
# Bits of 64 in which two images differ. Measured: up to 4 for an image that was re-saved, smaller or noisier,
# and about 4 when cropped by 2 %; 13 and more for other images of one subject, and 8 for 4950 pairs of faces.
_SIMILAR_BITS = 6
_COMMON_ORIENTATIONS = (1, 3, 6, 8)  # rotated, not mirrored
_COMPARED: tuple[Kind, ...] = ("duplicate", "similar")


@dataclass(frozen=True, slots=True)
class Advice:
    """A warning about one image.

    Attributes
    ----------
    kind : str
        Shown as a badge.
    text : str
        What is wrong and what to do about it.
    """

    kind: Kind
    text: str

    def __str__(self) -> str:
        return self.text


_DAMAGED = Advice("damaged", "Damaged: the file is incomplete; re-save it or remove it")


@dataclass(frozen=True, slots=True)
class ImageMetrics:
    """The size, thumbnail and warnings of one image.

    Attributes
    ----------
    path : Path
    width, height : int
        Pixels after EXIF rotation; 0 for a file that is not an image, such as a caption.
    size : int
        Bytes.
    thumbnail : bytes or None
        A small upright JPEG; None for an image that cannot be decoded.
    advice : tuple of Advice
        Empty for a good image.
    perceptual_hash : int or None
        64 bits that are nearly the same for images that look alike; None for a nearly plain image.
    """

    path: Path
    width: int = 0
    height: int = 0
    size: int = 0
    thumbnail: bytes | None = None
    advice: tuple[Advice, ...] = ()
    perceptual_hash: int | None = None


def advise(images: Iterable[str | os.PathLike[str] | Image], side: int = 192) -> list[ImageMetrics]:
    """Measure images on several threads and compare them with each other.

    Parameters
    ----------
    images : iterable of (path or Image)
    side : int
        Pixels of the long side of a thumbnail.

    Returns
    -------
    list of ImageMetrics
        One for each image, in order. For a file that is not an image, the advice says so; no error is raised.

    Examples
    --------
    >>> import tempfile; from PIL import Image as Pillow
    >>> folder = tempfile.TemporaryDirectory(); path = Path(folder.name) / "a.png"
    >>> Pillow.new("RGB", (400, 300)).save(path)
    >>> print(*advise([path])[0].advice)
    Small (400×300). Use at least 512 px a side.
    >>> folder.cleanup()
    """  # noqa: RUF002  a multiplication sign
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        return compare(list(pool.map(lambda image: measure(image, side), images)))


def measure(image: str | os.PathLike[str] | Image, side: int = 192) -> ImageMetrics:
    """Decode one image once, for its thumbnail and all advice that does not depend on other images.

    Parameters
    ----------
    image : path or Image
    side : int
        Pixels of the long side of the thumbnail.

    Notes
    -----
    The limits are those that the service recommends (astria-api, section 12). A JPEG that is rotated by its
    EXIF orientation is uploaded as it is, because all common readers rotate it. It is called sideways only
    where readers differ: PNG and WebP files, and mirrored images.
    """
    try:
        checked = image if isinstance(image, Image) else Image.open(image)
    except TuneError as error:
        unusable = tuple(Advice("unusable", f"{problem.what}; {problem.hint}") for problem in error.problems)
        return ImageMetrics(Path(image), advice=unusable)  # type: ignore[arg-type]  # an Image raises nothing
    if checked.is_caption:
        return ImageMetrics(checked.path, size=checked.size)
    pixels, damage = None, None
    if checked.media_type == "image/jpeg":
        pixels, damage = decoded_jpeg(checked.path, _DECODED_SIDE)
    try:
        with open_image(checked.path) as opened, one_at_a_time(opened):
            lies = checked.media_type in RE_ENCODED and has_only_exif_rotation(checked.path, opened)
            pixels = decode(opened, _DECODED_SIDE) if pixels is None else pixels
            orientation = orientation_of(opened)
            pixels = pixels if pixels.mode == "RGB" else pixels.convert("RGB")
            pixels.thumbnail((_MEASURED_SIDE, _MEASURED_SIDE))
            pixels = turn_upright(pixels, orientation)
            grey = pixels.convert("L")
            pixels.thumbnail((side, side))
            thumbnail = encode_jpeg(pixels)
    except OSError:
        return ImageMetrics(checked.path, checked.width, checked.height, checked.size, advice=(_DAMAGED,))
    size = (checked.height, checked.width) if orientation >= 5 else (checked.width, checked.height)
    metrics = ImageMetrics(checked.path, *size, checked.size, thumbnail, (), perceptual_hash(grey))
    if damage is not None:
        return replace(metrics, advice=(_DAMAGED,))
    return replace(metrics, advice=tuple(_advice(metrics, checked.media_type, orientation, grey, lies=lies)))


def compare(measured: Sequence[ImageMetrics]) -> list[ImageMetrics]:
    """Return the metrics with advice on images that are the same as, or look like, an earlier one.

    The advice of an earlier comparison is replaced, so this can be called again after images were added or
    removed.
    """
    compared: list[ImageMetrics] = []
    digests: dict[int, bytes | None] = {}
    for number, metrics in enumerate(measured):
        advice = [entry for entry in metrics.advice if entry.kind not in _COMPARED]
        advice += _compare_with_earlier(number, measured, digests)
        compared.append(replace(metrics, advice=tuple(advice)))
    return compared


def _compare_with_earlier(
    number: int, measured: Sequence[ImageMetrics], digests: dict[int, bytes | None]
) -> list[Advice]:
    current = measured[number]
    for index, earlier in enumerate(measured[:number]):
        if (
            current.width
            and current.size == earlier.size
            and (_digest(number, measured, digests) == _digest(index, measured, digests))
        ):
            return [Advice("duplicate", f"Same file as {_name(earlier)}: one of them is enough")]
    for earlier in measured[:number]:
        if current.perceptual_hash is None or earlier.perceptual_hash is None:
            continue
        if (current.perceptual_hash ^ earlier.perceptual_hash).bit_count() <= _SIMILAR_BITS:
            text = f"Looks like {_name(earlier)}: another pose, light or background teaches the model more"
            return [Advice("similar", text)]
    return []


def _digest(number: int, measured: Sequence[ImageMetrics], digests: dict[int, bytes | None]) -> bytes | None:
    """Return the SHA-256 of a file, read at most once."""
    if number not in digests:
        digests[number] = None
        with suppress(OSError), measured[number].path.open("rb") as file:
            digests[number] = hashlib.file_digest(file, "sha256").digest()
    return digests[number]


def _name(metrics: ImageMetrics) -> str:
    return metrics.path.name.encode("utf-8", "replace").decode()


def _advice(
    metrics: ImageMetrics, media_type: str, orientation: int, grey: Pillow.Image, *, lies: bool
) -> Iterable[Advice]:
    if min(metrics.width, metrics.height) < MIN_SIDE:
        pixels = f"{metrics.width}×{metrics.height}"  # noqa: RUF001  a multiplication sign
        yield Advice("small", f"Small ({pixels}). Use at least {MIN_SIDE} px a side.")
    if (count := metrics.width * metrics.height) > MAX_PIXELS:
        text = 'It is sent only with "Make photos smaller".'
        yield Advice("large", f"Large ({count / 1e6:.0f} megapixels). {text}")
    elif metrics.size > _LARGE:
        size = format_size(metrics.size)
        text = 'It does no harm, only the upload takes longer; "Make photos smaller" shortens it.'
        yield Advice("large", f"Large ({size}). {text}")
    if media_type in RE_ENCODED:
        text = 'the service may not accept it; with "Make photos smaller" (below) it is sent as a JPEG'
        yield Advice("heic", f"{RE_ENCODED[media_type]}: {text}")
    if lies:
        readers = f"readers of {RE_ENCODED[media_type]}"
        text = f"its camera recorded a rotation that {readers} do not apply; save it rotated"
        yield Advice("sideways", f"Perhaps sideways: {text}")
    elif (
        media_type not in RE_ENCODED
        and orientation != 1
        and (media_type != "image/jpeg" or orientation not in _COMMON_ORIENTATIONS)
    ):
        text = (
            "Sideways: its rotation is only recorded in the file, and some readers ignore it; save it rotated"
        )
        yield Advice("sideways", text)
    if is_blurry(grey):
        yield Advice("blurry", "Blurry: no sharp edges were found; use a sharper photo if you have one")
