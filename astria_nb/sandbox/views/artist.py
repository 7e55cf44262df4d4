"""The sandbox's pictures: results drawn from the training images, and the covers of packs."""

import io
import math
import random
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

_RIBBON = "#d4453c"
_PAPER = "#fffaf3"
_LARGEST = 120_000  # bytes: eight of them in a notebook's output stay below a megabyte


@dataclass(frozen=True)
class _Look:
    """How a picture is framed, its shadow, middle and light, and how far they colour the portrait, 0 to 1."""

    frame: Literal["full", "disc", "arch", "card"]
    tones: tuple[str, str, str]
    grade: float


_LOOKS = (
    _Look("full", ("#2b1d1a", "#c98b63", "#fff3e0"), 0.16),
    _Look("disc", ("#123c46", "#5fa8a3", "#e6f4ee"), 0.10),
    _Look("full", ("#17123a", "#a4588f", "#ffdcc2"), 1.00),
    _Look("card", ("#3d2645", "#c9758b", "#fbe3da"), 0.14),
    _Look("full", ("#141414", "#837d77", "#faf6ee"), 1.00),
    _Look("arch", ("#54281a", "#d98a5b", "#fbe8d3"), 0.12),
    _Look("full", ("#062a3c", "#b08468", "#ffe8bf"), 0.55),
    _Look("card", ("#1d2d52", "#6f8fc9", "#e9effb"), 0.16),
)


def picture(training: Sequence[Path], *, text: str, seed: int, width: int, height: int) -> bytes:
    """Draw a result of a prompt, marked as the sandbox's.

    Parameters
    ----------
    training
        The images that the tune was trained with. Where there are none, or the chosen one cannot be
        read, the picture is an abstract landscape.
    text
        The prompt, shown as a caption of at most three lines.
    seed
        Chooses the training image, its crop and its look; looks repeat after eight. The same arguments
        give the same bytes with the same version of Pillow.
    width, height
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
    look = _LOOKS[seed % len(_LOOKS)]
    dice = random.Random(seed)  # noqa: S311 - a drawing, not a secret
    size = (width, height)
    photo = _photo(training, seed, max(size) if look.frame == "full" else round(max(size) * 0.7))
    if photo is None:
        canvas = _landscape(size, dice, look.tones)
    elif look.frame == "full":
        canvas = _portrait(photo, size, look, dice)
        vignette = Image.radial_gradient("L").point(lambda v: max(0, v - 110) * 0.8)
        canvas.paste(look.tones[0], (0, 0), vignette.resize(size))
    else:
        canvas = _framed(photo, size, look, dice)
    _caption(canvas, text, look.tones, scrim=photo is None or look.frame == "full")
    _ribbon(canvas, "SANDBOX PICTURE")
    return _jpeg(canvas)


def cover(title: str, classes: Sequence[str], seed: int) -> bytes:
    """Draw the cover of a pack, marked as the sandbox's.

    Parameters
    ----------
    title
        The pack's title.
    classes
        The class names that the pack offers, such as ``man`` and ``woman``.
    seed
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
    dice = random.Random(seed)  # noqa: S311 - a drawing, not a secret
    shadow, middle, light = tones = _LOOKS[seed % len(_LOOKS)].tones
    canvas = _gradient((640, 400), light, middle)
    for turn, x in ((-9, 405), (5, 530), (-2, 467)):
        piece = ImageOps.expand(_landscape((150, 200), dice, tones), 6, _PAPER)
        _lay(canvas, piece, (x, 205), turn)
    _write(canvas, (36, 230), title, 38, 270, shadow)
    ImageDraw.Draw(canvas).line((38, 250, 86, 250), fill=_RIBBON, width=3)
    _write(canvas, (37, 364), ", ".join(classes), 19, 566, shadow)
    _ribbon(canvas, "SANDBOX PACK")
    return _jpeg(canvas)


def _photo(training: Sequence[Path], seed: int, side: int) -> Image.Image | None:
    """Read the training image that the seed chooses, or nothing where that cannot be done."""
    if not training:
        return None
    # The quotient keeps a set of eight images from always meeting the same eight looks.
    path = training[(seed + seed // len(_LOOKS)) % len(training)]
    try:
        with Image.open(path) as file:
            file.draft("RGB", (side, side))
            image = ImageOps.exif_transpose(file)
            if image.has_transparency_data:
                image = Image.alpha_composite(Image.new("RGBA", image.size, _PAPER), image.convert("RGBA"))
            return image.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        # What Pillow raises on a file that is missing, cut short or no image at all.
        return None


def _portrait(photo: Image.Image, size: tuple[int, int], look: _Look, dice: random.Random) -> Image.Image:
    """Crop to where a portrait has its subject, the middle a little above the centre, and grade."""
    at = (dice.uniform(0.44, 0.56), dice.uniform(0.34, 0.46))
    image = ImageOps.fit(photo, size, Image.Resampling.BICUBIC, bleed=dice.uniform(0, 0.08), centering=at)
    if dice.random() < 0.5:
        image = ImageOps.mirror(image)
    tinted = ImageOps.colorize(ImageOps.grayscale(image), look.tones[0], look.tones[2], look.tones[1])
    return Image.blend(image, tinted, look.grade)


def _framed(photo: Image.Image, size: tuple[int, int], look: _Look, dice: random.Random) -> Image.Image:
    """Lay the portrait, cut to the look's shape, on a backdrop that leaves room for the caption."""
    canvas = _gradient(size, look.tones[1], look.tones[2])
    share, turn = (0.72, dice.choice((-4, -3, 3, 4))) if look.frame == "card" else (0.84, 0)
    room = (round(size[0] * share), round(size[1] * 0.7))
    if look.frame == "disc":
        room = (min(room), min(room))
    piece = _portrait(photo, room, look, dice)
    if look.frame == "card":
        piece = ImageOps.expand(piece, round(min(room) * 0.035), _PAPER)
    else:
        mask = Image.new("L", (2 * room[0], 2 * room[1]))
        disc, box = look.frame == "disc", (0, 0, mask.width - 1, mask.height - 1)
        ImageDraw.Draw(mask).rounded_rectangle(box, min(room), 255, corners=(True, True, disc, disc))
        piece.putalpha(mask.reduce(2))
    _lay(canvas, piece, (size[0] // 2, round(size[1] * 0.44)), turn)
    return canvas


def _lay(canvas: Image.Image, piece: Image.Image, centre: tuple[int, int], turn: float) -> None:
    """Paste a piece around its centre, turned by degrees, with a soft shadow under it."""
    soft = max(1, round(min(piece.size) * 0.03))
    piece = ImageOps.expand(piece.convert("RGBA"), 3 * soft, (0, 0, 0, 0))
    piece = piece.rotate(turn, Image.Resampling.BILINEAR, expand=True)
    corner = (centre[0] - piece.width // 2, centre[1] - piece.height // 2)
    # A shadow has no detail: an eighth of the size is enough and takes a hundredth of the time.
    small = piece.getchannel("A").resize((piece.width // 8 + 1, piece.height // 8 + 1))
    shade = small.filter(ImageFilter.GaussianBlur(soft / 8)).resize(piece.size).point(lambda a: a * 0.38)
    canvas.paste("#1a1320", (corner[0], corner[1] + soft), shade)
    canvas.paste(piece, corner, piece)


def _gradient(size: tuple[int, int], top: str, bottom: str) -> Image.Image:
    return ImageOps.colorize(Image.linear_gradient("L").resize(size), top, bottom)


def _landscape(size: tuple[int, int], dice: random.Random, tones: tuple[str, str, str]) -> Image.Image:
    """Draw a sun over hills, twice as large and then reduced so that the edges are smooth."""
    width, height = size[0] * 2, size[1] * 2
    shadow, middle, light = tones
    canvas = _gradient((width, height), middle, light)
    draw = ImageDraw.Draw(canvas)
    radius = min(width, height) * dice.uniform(0.11, 0.17)
    x, y = width * dice.uniform(0.25, 0.7), height * dice.uniform(0.24, 0.36)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_PAPER)
    inks = ImageOps.colorize(Image.linear_gradient("L").resize((1, 5)), middle, shadow)
    for number in range(5):
        base, swell = height * (0.44 + 0.12 * number), height * dice.uniform(0.02, 0.06)
        waves, phase = dice.uniform(4, 9), dice.uniform(0, 7)
        crest = [(width * x / 60, base + swell * math.sin(phase + waves * x / 60)) for x in range(61)]
        draw.polygon([*crest, (width, height), (0, height)], fill=inks.getpixel((0, number)))
    return canvas.reduce(2)


def _caption(canvas: Image.Image, text: str, tones: tuple[str, str, str], *, scrim: bool) -> None:
    """Write a prompt along the bottom, over a darkened edge where it stands on the picture itself."""
    width, height = canvas.size
    shadow, _, light = tones
    size = max(8, min(width, height) * 0.036)
    if scrim:
        fade = Image.linear_gradient("L").point(lambda v: min(225, v * 1.3)).resize((width, round(size * 9)))
        canvas.paste(shadow, (0, height - fade.height), fade)
    margin = round(width * 0.06)
    ink = light if scrim else shadow
    _write(canvas, (margin, height - margin * 0.8), text, size, width - 2 * margin, ink)


def _write(canvas: Image.Image, at: tuple[float, float], text: str, size: float, room: int, ink: str) -> None:
    """Write at most three lines, none wider than `room` pixels; what is too much becomes an ellipsis."""
    # Pillow's font has hardly a letter beyond ASCII, so é is drawn as e; a lone surrogate cannot be drawn.
    text = text[:600].replace("—", "-").encode("utf-8", "replace").decode()
    text = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    font = ImageFont.load_default(size)
    for columns in range(int(room / size * 3), 3, -1):
        lines = textwrap.wrap(text, columns, max_lines=3, placeholder=" …")
        if all(font.getlength(line) <= room for line in lines):
            break
    ImageDraw.Draw(canvas).text(at, "\n".join(lines), ink, font, anchor="ld", spacing=size * 0.36)


def _ribbon(canvas: Image.Image, words: str) -> None:
    """Lay the mark across the upper right corner."""
    side = min(canvas.size)
    strip = Image.new("RGBA", (round(side * 1.22), round(side * 0.13)), _RIBBON)
    draw = ImageDraw.Draw(strip)
    font = ImageFont.load_default(side * 0.07)
    draw.text((strip.width / 2, strip.height / 2), words, "white", font, anchor="mm", stroke_width=side / 700)
    for y in (strip.height * 0.1, strip.height * 0.87):
        draw.line((0, y, strip.width, y), fill="#f3b3a8", width=side // 200 + 1)
    # Drawn at twice the size: turned letters stay sharp.
    turned = strip.rotate(-45, Image.Resampling.BILINEAR, expand=True).reduce(2)
    inset = round(side * 0.19) - turned.height // 2
    canvas.paste(turned, (canvas.width - turned.width - inset, inset), turned)


def _jpeg(image: Image.Image) -> bytes:
    """Encode as well as the size limit allows."""
    for quality in (88, 80, 70, 55, 38, 20):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= _LARGEST:
            break
    return buffer.getvalue()
