"""Thumbnails and advice for a form full of photos: each is opened, decoded, measured and compared."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.cases.thumbnails import peer
from benchmarks.protocol import Case, Figure


@contextmanager
def prepare(folder: Path, photos: int, width: int) -> Iterator[dict[str, Any]]:
    paths = [_photo(folder / f"{number}.jpg", number, (width, width * 3 // 4)) for number in range(photos)]
    yield {"paths": [*map(str, paths)]}


def _photo(path: Path, seed: int, size: tuple[int, int]) -> Path:
    """Save a photo as a phone takes it: soft shapes, hard edges and the noise of a sensor."""
    import random

    import numpy as np
    from PIL import Image, ImageDraw

    dice, noise = random.Random(seed), np.random.default_rng(seed)
    image = Image.frombytes("RGB", (16, 12), dice.randbytes(576)).resize(size)
    draw = ImageDraw.Draw(image)
    for _ in range(2000):
        x, y, side = dice.randrange(size[0]), dice.randrange(size[1]), dice.randrange(5, 120)
        draw.ellipse((x, y, x + side, y + side), fill=tuple(dice.randbytes(3)))
    pixels = np.asarray(image) + noise.normal(0, 6, (size[1], size[0], 1))
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path, quality=92)
    return path


def ours(paths: list[str], **_: Any) -> dict[str, Any]:
    import time

    from astria_nb.images._advice import advise

    photos = [*map(Path, paths)]
    advise(photos[:1])
    started = time.perf_counter()
    advise(photos)
    return {"seconds": time.perf_counter() - started}


CASE = Case(
    what="advice on 16 photos of 12 megapixels",
    against="decoding them whole, on all cores",
    ours=ours,
    peer=peer,
    prepare=prepare,
    figures=(Figure("seconds", "time", most=1.0),),
    sizes={"photos": 16, "width": 4000},
    small={"photos": 1, "width": 1200},
)
