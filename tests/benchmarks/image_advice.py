"""How long thumbnails and advice take for a form full of photos, beside decoding the same photos whole.

Run ``python tests/benchmarks/image_advice.py [rounds [photos]]``. 16 photos of 12 megapixels as a phone takes
them: soft shapes, hard edges and the noise of a sensor, saved as JPEG of quality 92. Timed is `advise`: each
file is opened, decoded once, made a thumbnail, measured, and compared with the others; beside as many threads
that decode each photo whole. Also `measure` of one photo: a form shows each as it comes.
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

from astria_nb.images import measure
from astria_nb.images._advice import advise

PROMISED_RATIO, SIZE = 1.0, (4000, 3000)


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


def main(rounds: int = 7, photos: int = 16) -> int:
    with tempfile.TemporaryDirectory() as name:
        paths = [photo(Path(name, f"{number}.jpg"), number) for number in range(photos)]
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
        work = min(seconds(lambda: advise(paths), time.process_time) for _ in range(min(rounds, 3)))
    advised, decoded, measured = (statistics.median(durations) for durations in zip(*turns, strict=True))
    cores = os.cpu_count()
    print(f"{photos} photos of 12 megapixels, {size:.0f} MB, {cores} cores, medians of {rounds} rounds")
    print(f"{'thumbnails and advice':<28}{advised:8.3f} s")
    print(f"{'of all processors':<28}{work:8.3f} s   not lengthened by other programs")
    print(f"{'of one photo':<28}{measured:8.3f} s")
    print(f"{'decoding them whole':<28}{decoded:8.3f} s")
    print(f"{'advice / decoding':<28}{advised / decoded:8.2f}     promised: at most {PROMISED_RATIO}")
    return advised / decoded > PROMISED_RATIO


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
