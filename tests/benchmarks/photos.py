"""Preparing photos for upload, beside Pillow on the same cores.

Run ``python tests/benchmarks/photos.py [PHOTOS [SIDE [ROUNDS]]]``: by default 16 of 4000 by 3000 pixels.

- ``clean``: metadata is removed, the check for damage off, beside reading the files.
- ``check``: what the check for damage adds, beside Pillow's decoding on as many threads.
- ``again``: the same files once more, beside the first time.
- ``smaller``: with ``max_side``, beside a loop of open, transpose, thumbnail and save with the profile.
"""

import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image, ImageOps

from astria_nb.images import Image as Photo
from astria_nb.images import Preprocessing, open_all

SETTLED_SECONDS = 2.1  # a file that was just changed is not remembered
PROMISED = {"check": 0.6, "smaller": 0.8}


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def prepare(photos: list[Photo], **options: object) -> None:
    for opened in open_all(photos, Preprocessing(**options)):  # type: ignore[arg-type]
        opened.close()


def decode(path: Path) -> None:
    with Image.open(path) as image:
        image.load()


def make_smaller(path: Path, side: int) -> None:
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image)
        upright.thumbnail((side, side))
        upright.save(io.BytesIO(), "JPEG", quality=92, icc_profile=image.info.get("icc_profile"))


def changed(paths: list[Path]) -> None:
    """Let files count as changed: nothing is remembered of them."""
    for path in paths:
        os.utime(path)


def main() -> None:
    given = [int(argument) for argument in sys.argv[1:]]
    count, side, rounds = (*given, *(16, 4000, 3)[len(given) :])
    ratios: dict[str, list[float]] = {"clean": [], "check": [], "again": [], "smaller": []}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        paths = [Path(folder) / f"{number}.jpg" for number in range(count)]
        noise = Image.effect_noise((side, side * 3 // 4), 25).convert("RGB")
        for path in paths:
            noise.save(path, quality=90)
        photos = [Photo.open(path) for path in paths]
        for _ in range(rounds):
            reading = seconds(lambda: [path.read_bytes() for path in paths])
            cleaning = seconds(lambda: prepare(photos, keep_damaged=True))
            decoding = seconds(lambda: [*pool.map(decode, paths)])
            changed(paths)
            checking = seconds(lambda: prepare(photos)) - cleaning
            time.sleep(SETTLED_SECONDS)
            prepare(photos)
            again = seconds(lambda: prepare(photos))
            loop = seconds(lambda: [make_smaller(path, side // 2) for path in paths])
            changed(paths)
            smaller = seconds(lambda: prepare(photos, max_side=side // 2))
            pairs = (cleaning, reading), (checking, decoding), (again, checking), (smaller, loop)
            for name, (ours, others) in zip(ratios, pairs, strict=True):
                ratios[name].append(ours / others)
    for name, values in ratios.items():
        promised = f" (promised {PROMISED[name]})" if name in PROMISED else ""
        print(f"{name:8} {statistics.median(values):.2f}{promised}, {min(values):.2f} to {max(values):.2f}")


if __name__ == "__main__":
    main()
