"""Drawing with Pillow: backdrops, shadows, captions, the sandbox's mark."""

import io
import math
import random
import textwrap
import unicodedata
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

RED = "#d4453c"
PAPER = "#fffaf3"
_MAX_BYTES = 120_000  # bytes: eight of them in a notebook's output stay below a megabyte


def paste_with_shadow(canvas: Image.Image, piece: Image.Image, centre: tuple[int, int], turn: float) -> None:
    """Paste a piece at a centre, rotated by some degrees, with a soft shadow below it."""
    soft = max(1, round(min(piece.size) * 0.03))
    piece = ImageOps.expand(piece.convert("RGBA"), 3 * soft, (0, 0, 0, 0))
    piece = piece.rotate(turn, Image.Resampling.BILINEAR, expand=True)
    corner = (centre[0] - piece.width // 2, centre[1] - piece.height // 2)
    # A shadow has no detail: an eighth of the size is enough, and takes a hundredth of the time.
    small = piece.getchannel("A").resize((piece.width // 8 + 1, piece.height // 8 + 1))
    shade = small.filter(ImageFilter.GaussianBlur(soft / 8)).resize(piece.size).point(lambda a: a * 0.38)
    canvas.paste("#1a1320", (corner[0], corner[1] + soft), shade)
    canvas.paste(piece, corner, piece)


def gradient(size: tuple[int, int], top: str, bottom: str) -> Image.Image:
    """Return a vertical gradient between two colours."""
    column = Image.linear_gradient("L").resize((1, size[1]))
    return ImageOps.colorize(column, top, bottom).resize(size, Image.Resampling.NEAREST)


def landscape(size: tuple[int, int], rng: random.Random, tones: tuple[str, str, str]) -> Image.Image:
    """Draw a sun over hills, at twice the size so that the edges are smooth when it is reduced."""
    width, height = size[0] * 2, size[1] * 2
    shadow, middle, light = tones
    canvas = gradient((width, height), middle, light)
    draw = ImageDraw.Draw(canvas)
    radius = min(width, height) * rng.uniform(0.11, 0.17)
    x, y = width * rng.uniform(0.25, 0.7), height * rng.uniform(0.24, 0.36)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=PAPER)
    inks = ImageOps.colorize(Image.linear_gradient("L").resize((1, 5)), middle, shadow)
    for number in range(5):
        base, swell = height * (0.44 + 0.12 * number), height * rng.uniform(0.02, 0.06)
        waves, phase = rng.uniform(4, 9), rng.uniform(0, 7)
        crest = [(width * x / 60, base + swell * math.sin(phase + waves * x / 60)) for x in range(61)]
        draw.polygon([*crest, (width, height), (0, height)], fill=inks.getpixel((0, number)))
    return canvas.reduce(2)


def caption(canvas: Image.Image, text: str, tones: tuple[str, str, str], *, scrim: bool) -> None:
    """Write a text along the bottom; `scrim` darkens the picture below it."""
    width, height = canvas.size
    shadow, _, light = tones
    size = max(8, min(width, height) * 0.036)
    if scrim:
        fade = Image.linear_gradient("L").point(lambda v: min(225, v * 1.3)).resize((width, round(size * 9)))
        canvas.paste(shadow, (0, height - fade.height), fade)
    margin = round(width * 0.06)
    ink = light if scrim else shadow
    write(canvas, (margin, height - margin * 0.8), text, size, width - 2 * margin, ink)


def write(canvas: Image.Image, at: tuple[float, float], text: str, size: float, room: int, ink: str) -> None:
    """Write at most three lines, none wider than `room` pixels; longer text ends in an ellipsis."""
    # Pillow's font has few letters beyond ASCII, so é is drawn as e; a lone surrogate cannot be drawn.
    text = text[:600].replace("—", "-").encode("utf-8", "replace").decode()
    text = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    font = ImageFont.load_default(size)
    length = lru_cache(font.getlength)  # most lines are the same in the next round
    for columns in range(int(room / size * 3), 3, -1):
        lines = textwrap.wrap(text, columns, max_lines=3, placeholder=" …")
        if all(length(line) <= room for line in lines):
            break
    ImageDraw.Draw(canvas).text(at, "\n".join(lines), ink, font, anchor="ld", spacing=size * 0.36)


def ribbon(canvas: Image.Image, words: str) -> None:
    """Draw the sandbox's mark across the upper right corner."""
    mark, inset = _ribbon(min(canvas.size), words)
    canvas.paste(mark, (canvas.width - mark.width - inset, inset), mark)


@lru_cache(maxsize=4)
def _ribbon(side: int, words: str) -> tuple[Image.Image, int]:
    """Return the mark of a picture whose shorter side is given, and its distance from the corner."""
    strip = Image.new("RGBA", (round(side * 1.22), round(side * 0.13)), RED)
    draw = ImageDraw.Draw(strip)
    font = ImageFont.load_default(side * 0.07)
    draw.text((strip.width / 2, strip.height / 2), words, "white", font, anchor="mm", stroke_width=side / 700)
    for y in (strip.height * 0.1, strip.height * 0.87):
        draw.line((0, y, strip.width, y), fill="#f3b3a8", width=side // 200 + 1)
    # Drawn at twice the size, so that the rotated letters stay sharp.
    turned = strip.rotate(-45, Image.Resampling.BILINEAR, expand=True).reduce(2)
    return turned, round(side * 0.19) - turned.height // 2


def to_jpeg(image: Image.Image) -> bytes:
    """Encode an image in the best quality that keeps it below the size limit."""
    for quality in (88, 80, 70, 55, 38, 20):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= _MAX_BYTES:
            break
    return buffer.getvalue()
