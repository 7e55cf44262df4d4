"""The sandbox's pictures: results drawn from the training images, and the covers of packs."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw, ImageOps

from astria_nb.sandbox.views._drawing import (
    PAPER,
    RED,
    caption,
    gradient,
    landscape,
    paste_with_shadow,
    ribbon,
    to_jpeg,
    write,
)


@dataclass(frozen=True)
class _Style:
    """The frame of a picture, its shadow, middle and light tones, and how strongly they tint it, 0 to 1."""

    frame: Literal["full", "disc", "arch", "card"]
    tones: tuple[str, str, str]
    grade: float


_STYLES = (
    _Style("full", ("#2b1d1a", "#c98b63", "#fff3e0"), 0.16),
    _Style("disc", ("#123c46", "#5fa8a3", "#e6f4ee"), 0.10),
    _Style("full", ("#17123a", "#a4588f", "#ffdcc2"), 1.00),
    _Style("card", ("#3d2645", "#c9758b", "#fbe3da"), 0.14),
    _Style("full", ("#141414", "#837d77", "#faf6ee"), 1.00),
    _Style("arch", ("#54281a", "#d98a5b", "#fbe8d3"), 0.12),
    _Style("full", ("#062a3c", "#b08468", "#ffe8bf"), 0.55),
    _Style("card", ("#1d2d52", "#6f8fc9", "#e9effb"), 0.16),
)


def picture(training: Sequence[Path], *, text: str, seed: int, width: int, height: int) -> bytes:
    """Draw a result of a prompt, marked as the sandbox's.

    Parameters
    ----------
    training : sequence of Path
        The images that the tune was trained with. Without any, or if the chosen one cannot be read, the
        picture is an abstract landscape.
    text : str
        The prompt, shown as a caption of at most three lines.
    seed : int
        Chooses the training image, its crop and one of eight styles. The same arguments give the same bytes
        with the same version of Pillow.
    width, height : int
        Size in pixels, each at least 64.

    Returns
    -------
    bytes
        A JPEG without metadata; at 768 by 1024 it is at most 120 kB.

    Examples
    --------
    >>> picture([], text="portrait of ohwx woman", seed=7, width=96, height=128)[:2].hex()
    'ffd8'
    """
    style = _STYLES[seed % len(_STYLES)]
    rng = random.Random(seed)  # noqa: S311 - a drawing, not a secret
    size = (width, height)
    photo = _photo(training, seed, max(size) if style.frame == "full" else round(max(size) * 0.7))
    if photo is None:
        canvas = landscape(size, rng, style.tones)
    elif style.frame == "full":
        canvas = _portrait(photo, size, style, rng)
        canvas.paste(style.tones[0], (0, 0), _vignette(size))
    else:
        canvas = _framed(photo, size, style, rng)
    caption(canvas, text, style.tones, scrim=photo is None or style.frame == "full")
    ribbon(canvas, "SANDBOX PICTURE")
    return to_jpeg(canvas)


def cover(title: str, classes: Sequence[str], seed: int) -> bytes:
    """Draw the cover of a pack, marked as the sandbox's.

    Parameters
    ----------
    title : str
        The pack's title.
    classes : sequence of str
        The class names that the pack offers, such as ``man`` and ``woman``.
    seed : int
        Chooses the colours and the drawing.

    Returns
    -------
    bytes
        A JPEG of 640 by 400 pixels.

    Examples
    --------
    >>> cover("Corporate Headshots", ["man", "woman"], seed=260)[:2].hex()
    'ffd8'
    """
    rng = random.Random(seed)  # noqa: S311 - a drawing, not a secret
    shadow, middle, light = tones = _STYLES[seed % len(_STYLES)].tones
    canvas = gradient((640, 400), light, middle)
    for turn, x in ((-9, 405), (5, 530), (-2, 467)):
        piece = ImageOps.expand(landscape((150, 200), rng, tones), 6, PAPER)
        paste_with_shadow(canvas, piece, (x, 205), turn)
    write(canvas, (36, 230), title, 38, 270, shadow)
    ImageDraw.Draw(canvas).line((38, 250, 86, 250), fill=RED, width=3)
    write(canvas, (37, 364), ", ".join(classes), 19, 566, shadow)
    ribbon(canvas, "SANDBOX PACK")
    return to_jpeg(canvas)


def _photo(training: Sequence[Path], seed: int, side: int) -> Image.Image | None:
    """Return the training image that the seed chooses; None if there is none, or it cannot be read."""
    if not training:
        return None
    # With the quotient, each of eight images gets each of the eight styles in turn.
    path = training[(seed + seed // len(_STYLES)) % len(training)]
    try:
        with Image.open(path) as file:
            file.draft("RGB", (side, side))
            ImageOps.exif_transpose(file, in_place=True)
            image: Image.Image = file
            if image.has_transparency_data:
                image = Image.alpha_composite(Image.new("RGBA", image.size, PAPER), image.convert("RGBA"))
            return image.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        # What Pillow raises for a file that is missing, truncated or not an image.
        return None


@lru_cache(maxsize=4)
def _vignette(size: tuple[int, int]) -> Image.Image:
    """Return how dark a picture is towards its corners."""
    return Image.radial_gradient("L").point(lambda v: max(0, v - 110) * 0.8).resize(size)


def _portrait(photo: Image.Image, size: tuple[int, int], style: _Style, rng: random.Random) -> Image.Image:
    """Crop an image around a point a little above its centre, where portraits have their subject; tint it."""
    at = (rng.uniform(0.44, 0.56), rng.uniform(0.34, 0.46))
    image = ImageOps.fit(photo, size, Image.Resampling.BICUBIC, bleed=rng.uniform(0, 0.08), centering=at)
    if rng.random() < 0.5:
        image = ImageOps.mirror(image)
    tinted = ImageOps.colorize(ImageOps.grayscale(image), style.tones[0], style.tones[2], style.tones[1])
    return Image.blend(image, tinted, style.grade)


def _framed(photo: Image.Image, size: tuple[int, int], style: _Style, rng: random.Random) -> Image.Image:
    """Paste the portrait, cut to the style's shape, on a backdrop that leaves room for the caption."""
    canvas = gradient(size, style.tones[1], style.tones[2])
    share, turn = (0.72, rng.choice((-4, -3, 3, 4))) if style.frame == "card" else (0.84, 0)
    room = (round(size[0] * share), round(size[1] * 0.7))
    if style.frame == "disc":
        room = (min(room), min(room))
    piece = _portrait(photo, room, style, rng)
    if style.frame == "card":
        piece = ImageOps.expand(piece, round(min(room) * 0.035), PAPER)
    else:
        mask = Image.new("L", (2 * room[0], 2 * room[1]))
        disc, box = style.frame == "disc", (0, 0, mask.width - 1, mask.height - 1)
        ImageDraw.Draw(mask).rounded_rectangle(box, min(room), 255, corners=(True, True, disc, disc))
        piece.putalpha(mask.reduce(2))
    paste_with_shadow(canvas, piece, (size[0] // 2, round(size[1] * 0.44)), turn)
    return canvas
