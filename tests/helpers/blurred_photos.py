"""Sharp and blurred forms of a photo, made so that it is known which they are."""

import math
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

MOVEMENTS = ((10, 0), (12, 90), (14, 45), (16, 120))  # pixels and degrees
_CROPS = ((0.0, 0.0, 0.7), (0.25, 0.1, 0.6), (0.1, 0.2, 0.8))  # left, top and side, of the whole


def moved(photo: Image.Image, pixels: int, degrees: float) -> Image.Image:
    """Return a photo as of a camera that moved in one direction while it was open."""
    values, far = np.asarray(photo), pixels // 2
    direction = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    total = np.zeros(values.shape, np.uint32)
    for distance in range(-far, far + 1):
        right, down = (round(part * distance) for part in direction)
        total += np.roll(values, (down, right), (0, 1))
    middle = (total // (2 * far + 1)).astype(np.uint8)[far:-far, far:-far]
    return Image.fromarray(np.ascontiguousarray(middle))


def out_of_focus(photo: Image.Image, radius: int) -> Image.Image:
    """Return a photo whose points became discs."""
    values = np.asarray(photo)
    total, count = np.zeros(values.shape, np.uint32), 0
    for down in range(-radius, radius + 1):
        for right in range(-radius, radius + 1):
            if down**2 + right**2 <= radius**2:
                total += np.roll(values, (down, right), (0, 1))
                count += 1
    middle = (total // count).astype(np.uint8)[radius:-radius, radius:-radius]
    return Image.fromarray(np.ascontiguousarray(middle))


def noisy(photo: Image.Image, strength: float) -> Image.Image:
    """Return a photo with noise in it."""
    noise = Image.effect_noise(photo.size, strength).convert(photo.mode)
    return ImageChops.add(photo, noise, 1, -128)


def sharp_forms(photo: Image.Image) -> Iterator[tuple[str, Image.Image]]:
    """Yield forms of a sharp photo that are sharp as well, with their names."""
    width, height = photo.size
    yield "as it is", photo
    for number, (left, top, side) in enumerate(_CROPS):
        corners = (left * width, top * height, (left + side) * width, (top + side) * height)
        yield f"cut {number}", photo.crop(tuple(map(int, corners)))
    yield "noisy", noisy(photo, 12)
    yield "pale", photo.point(lambda value: 150 + value // 4)
    yield "dark", photo.point(lambda value: value // 4)
    yield "grey", photo.convert("L")
    mask = Image.new("L", photo.size)
    ImageDraw.Draw(mask).ellipse((width * 0.25, height * 0.15, width * 0.75, height * 0.85), fill=255)
    soft = photo.filter(ImageFilter.GaussianBlur(10))
    yield "before a soft background", Image.composite(photo, soft, mask)


def blurred_forms(photo: Image.Image) -> Iterator[tuple[str, Image.Image]]:
    """Yield forms of a photo, of at most 1024 pixels a side, that are blurred, with their names."""
    for radius in (3, 4):
        yield f"gaussian {radius}", photo.filter(ImageFilter.GaussianBlur(radius))
    for radius in (5, 7):
        yield f"out of focus {radius}", out_of_focus(photo, radius)
    for pixels, degrees in MOVEMENTS:
        yield f"moved {pixels} at {degrees}", moved(photo, pixels, degrees)
    yield "moved and noisy", noisy(moved(photo, 16, 20), 4)
