"""Time for the thumbnails and advice of 16 photos, compared with decoding the same photos completely.

Run ``python tests/benchmarks/image_advice.py [rounds]``. 16 photos of 12 megapixels as a phone takes them:
soft shapes, hard edges and sensor noise, saved as JPEG with quality 92. `advise` opens and decodes each file
once, makes its thumbnail, measures it and compares it with the others; for comparison, as many threads decode
each photo completely. Also `measure` of one photo, for a form shows each as it comes.
"""

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from astria_nb.images.advice import advise, measure

PROMISED_SECONDS, PHOTOS, SIZE = 2.0, 16, (4000, 3000)


def photo(path: Path, seed: int) -> Path:
    dice, noise = random.Random(seed), np.random.default_rng(seed)
    image = Image.frombytes("RGB", (16, 12), dice.randbytes(576)).resize(SIZE)
    draw = ImageDraw.Draw(image)
    for _ in range(2000):
        x, y, side = dice.randrange(SIZE[0]), dice.randrange(SIZE[1]), dice.randrange(5, 120)
        draw.ellipse((x, y, x + side, y + side), fill=tuple(dice.randbytes(3)))
    pixels = np.asarray(image) + noise.normal(0, 6, (SIZE[1], SIZE[0], 1))
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path, quality=92)
    return path


def decode(path: Path) -> None:
    with Image.open(path) as image:
        image.load()


def decode_all(paths: list[Path]) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(decode, paths))


def seconds(call: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    started = clock()
    call()
    return clock() - started


def main(rounds: int = 7) -> int:
    with tempfile.TemporaryDirectory() as name:
        paths = [photo(Path(name, f"{number}.jpg"), number) for number in range(PHOTOS)]
        size = sum(path.stat().st_size for path in paths) / 1e6
        advise(paths[:1])
        turns = [
            (
                seconds(lambda: advise(paths)),
                seconds(lambda: decode_all(paths)),
                seconds(lambda: measure(paths[0])),
            )
            for _ in range(rounds)
        ]
        work = min(seconds(lambda: advise(paths), time.process_time) for _ in range(3))
    advised, decoded, measured = (statistics.median(column) for column in zip(*turns, strict=True))
    print(
        f"{PHOTOS} photos of 12 megapixels, {size:.0f} MB, {os.cpu_count()} cores, medians of {rounds} rounds"
    )
    print(f"{'thumbnails and advice':<28}{advised:8.3f} s   promised: at most {PROMISED_SECONDS}")
    print(f"{'work for all processors':<28}{work:8.3f} s   whoever else is busy here")
    print(f"{'seconds of one photo':<28}{measured:8.3f} s")
    print(f"{'decoding them whole':<28}{decoded:8.3f} s")
    print(f"{'advice / decoding':<28}{advised / decoded:8.2f}")
    return advised > PROMISED_SECONDS


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
