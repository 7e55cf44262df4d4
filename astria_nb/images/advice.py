"""What can be said of training images by looking at them here: too small, blurry, alike, too large."""

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
from astria_nb.images.decoding import decoded, opened, upright
from astria_nb.images.image import Image, jpeg
from astria_nb.images.metrics import likeness, sharpness
from astria_nb.utils.formatting import format_size

if TYPE_CHECKING:
    from PIL import Image as Pillow

Kind = Literal["unusable", "damaged", "small", "large", "blurry", "sideways", "heic", "duplicate", "similar"]

LEAST_SIDE, MOST_BYTES = 512, 3_000_000  # astria-api, section 12
_DECODED, _SIDE = 640, 1024  # pixels a side: what is decoded at least, and what is measured at most
# Of 26 sharp photos and drawings, some noisy, pale or with a soft background, the softest measured 0.24; the
# same with a Gaussian blur of 2.5 pixels at 1024 a side 0.20 at most, and 0.21 with some noise in it.
_SHARP = 0.21
# Bits of 64 in which two pictures differ. Measured: up to 4 for a picture saved anew, smaller or noisier, and
# about 4 when cut by 2 %; from 13 on for other pictures of one subject, and 8 for 4950 pairs of faces.
_ALIKE = 6


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to know of an image before training with it: its kind for a badge, and words for a person."""

    kind: Kind
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Look:
    """What an image looks like.

    Attributes
    ----------
    path : Path
    width, height : int
        Pixels, the right way up; 0 where it is no image.
    size : int
        Bytes.
    thumbnail : bytes or None
        A small JPEG, the right way up; None where it cannot be decoded.
    advice : tuple of Advice
        Empty for an image that is good as far as can be told here.
    likeness : int or None
        64 bits, most of them the same for two pictures that look the same.
    """

    path: Path
    width: int = 0
    height: int = 0
    size: int = 0
    thumbnail: bytes | None = None
    advice: tuple[Advice, ...] = ()
    likeness: int | None = None


def advise(images: Iterable[str | os.PathLike[str] | Image], side: int = 192) -> list[Look]:
    """Look at images, several at a time, and compare them with each other.

    Parameters
    ----------
    images : iterable of path or Image
    side : int
        Pixels of a thumbnail's long side.

    Returns
    -------
    list of Look
        One an image, in order. A file that is no image is one with advice; nothing is raised for it.

    Examples
    --------
    >>> import tempfile; from PIL import Image as Pillow
    >>> folder = tempfile.TemporaryDirectory(); path = Path(folder.name) / "a.png"
    >>> Pillow.new("RGB", (400, 300)).save(path)
    >>> print(*advise([path])[0].advice)
    small: 400×300, at least 512 on each side is better
    >>> folder.cleanup()
    """  # noqa: RUF002  as people write it
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        return compare(list(pool.map(lambda each: look(each, side), images)))


def look(image: str | os.PathLike[str] | Image, side: int = 192) -> Look:
    """Look at one image: one decoding serves its thumbnail and all that is said of it.

    Notes
    -----
    The limits are those of the service's own advice (astria-api, section 12). A photo that is turned by its
    Exif data is sent so, and every common reader turns a JPEG; only where readers differ is it called
    sideways: in PNG and WebP files, and where it is mirrored.
    """
    try:
        found = image if isinstance(image, Image) else Image.open(image)
    except TuneError as error:
        told = tuple(Advice("unusable", f"{each.what}; {each.hint}") for each in error.problems)
        return Look(Path(image), advice=told)  # type: ignore[arg-type]  # an image raises nothing
    try:
        with opened(found.path) as opening:
            picture = decoded(opening, _DECODED)
            orientation = picture.getexif().get(0x0112, 1)
            picture = upright(picture.convert("RGB"))
            picture.thumbnail((_SIDE, _SIDE))
            grey = picture.convert("L")
            small = picture.copy()
            small.thumbnail((side, side))
            thumbnail = jpeg(small)
    except OSError:
        told = (Advice("damaged", "damaged: cannot be decoded to its end; save it anew, or take it out"),)
        return Look(found.path, found.width, found.height, found.size, advice=told)
    width, height = (found.height, found.width) if orientation >= 5 else (found.width, found.height)
    seen = Look(found.path, width, height, found.size, thumbnail, (), likeness(grey))
    return replace(seen, advice=tuple(_advice(seen, found.media_type, orientation, grey)))


def compare(looks: Sequence[Look]) -> list[Look]:
    """Return looks with advice on those that are the same as an earlier one, or look the same.

    What a former comparison said is dropped, so it can be called again when images come and go.
    """
    found: list[Look] = []
    hashes: dict[int, bytes | None] = {}
    for number, each in enumerate(looks):
        told = [advice for advice in each.advice if advice.kind not in ("duplicate", "similar")]
        told += _of_earlier(number, looks, hashes)
        found.append(replace(each, advice=tuple(told)))
    return found


def _of_earlier(number: int, looks: Sequence[Look], hashes: dict[int, bytes | None]) -> list[Advice]:
    mine = looks[number]
    for earlier, other in enumerate(looks[:number]):
        if mine.size == other.size > 0 and _hash(number, looks, hashes) == _hash(earlier, looks, hashes):
            return [Advice("duplicate", f"the same file as {_name(other)}: one of them is enough")]
    for other in looks[:number]:
        if mine.likeness is None or other.likeness is None:
            continue
        if (mine.likeness ^ other.likeness).bit_count() <= _ALIKE:
            text = f"looks like {_name(other)}: another pose, light or background teaches more"
            return [Advice("similar", text)]
    return []


def _hash(number: int, looks: Sequence[Look], hashes: dict[int, bytes | None]) -> bytes | None:
    """Hash a file, once; only files of one size are."""
    if number not in hashes:
        hashes[number] = None
        with suppress(OSError), looks[number].path.open("rb") as file:
            hashes[number] = hashlib.file_digest(file, "sha256").digest()
    return hashes[number]


def _name(look: Look) -> str:
    return look.path.name.encode("utf-8", "replace").decode()


def _advice(look: Look, media_type: str, orientation: int, grey: Pillow.Image) -> Iterable[Advice]:
    if min(look.width, look.height) < LEAST_SIDE:
        pixels = f"{look.width}×{look.height}"  # noqa: RUF001  as people write it
        yield Advice("small", f"small: {pixels}, at least {LEAST_SIDE} on each side is better")
    if look.size > MOST_BYTES:
        most = MOST_BYTES / 1e6
        yield Advice("large", f"large: {format_size(look.size)}, up to about {most:.0f} is enough")
    if media_type == "image/heic":
        text = "HEIC: the service may not take it; with smaller pictures it is sent as a JPEG"
        yield Advice("heic", text)
    elif orientation != 1 and (media_type != "image/jpeg" or orientation not in (3, 6, 8)):
        text = (
            "sideways: only a note in the file tells which way up it is, and not all read it; save it turned"
        )
        yield Advice("sideways", text)
    sharp = sharpness(grey)
    if sharp is not None and sharp < _SHARP:
        yield Advice("blurry", "blurry: nothing in it has a sharp edge; take a sharper one if there is one")
