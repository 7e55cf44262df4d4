"""How long 16 photos of 12 megapixels take to appear in the form, and how long a keystroke takes meanwhile.

Run ``python tests/benchmarks/thumbnails.py [rounds [photos]]``. Timed from the moment that the list of paths
is assigned until each photo has its thumbnail, beside as many threads that decode each photo
whole. A keystroke is a change of the title with everything that the form does about it.
"""

import os
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

import astria_nb as anb
from astria_nb.form.images._image_list import ImageList

PROMISED_RATIO = 1.5  # times decoding the same photos


def photograph(folder: Path, count: int) -> list[Path]:
    """Save photos of 4000 x 3000 pixels with as much detail as a phone's: about 4 MB each."""
    noise = Image.merge("RGB", [Image.effect_noise((1000, 750), 60) for _ in range(3)])
    picture = noise.resize((4000, 3000), Image.Resampling.BICUBIC)
    paths = [folder / f"{number}.jpg" for number in range(count)]
    picture.save(paths[0], quality=85)
    for number, path in enumerate(paths[1:]):
        path.write_bytes(paths[0].read_bytes() + bytes([number]))
    return paths


def show(form: anb.TuneForm, tiles: ImageList, paths: list[Path]) -> tuple[float, float, list[float]]:
    """Return the seconds until all are displayed, those of a processor, and those of each keystroke."""
    thumbnails, done = [], threading.Event()

    def draw(item_id: str, jpeg: bytes | None) -> None:
        thumbnails.append(jpeg)
        if len(thumbnails) == len(paths):
            done.set()

    tiles.show_thumbnail = draw
    keystrokes = []
    started, worked = time.perf_counter(), time.process_time()
    form.fill(images=paths)
    while not done.wait(0.02):
        pressed = time.perf_counter()
        form._draft.fields["title"].value = f"title {pressed}"
        keystrokes.append(time.perf_counter() - pressed)
    seconds, cpu = time.perf_counter() - started, time.process_time() - worked
    assert None not in thumbnails
    form.fill(images=None)
    return seconds, cpu, keystrokes


def decode(path: Path) -> None:
    with Image.open(path) as image:
        image.load()


def decode_all(paths: list[Path]) -> float:
    started = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(decode, paths))
    return time.perf_counter() - started


def main(rounds: int = 5, photos: int = 16) -> int:
    seconds, cpu, keystrokes, decoding = [], [], [], []
    with tempfile.TemporaryDirectory() as name, anb.Sandbox() as sandbox:
        paths = photograph(Path(name), photos)
        form = anb.TuneForm(sandbox.client(), pack=260, name="man")
        children = form._draft.fields["images"].children
        tiles = next(child for child in children if isinstance(child, ImageList))
        for _ in range(rounds):
            wall, worked, pressed = show(form, tiles, paths)
            seconds.append(wall)
            cpu.append(worked)
            keystrokes += [1000 * duration for duration in pressed]
            decoding.append(decode_all(paths))
        size = sum(path.stat().st_size for path in paths) / 1e6
    ratio = statistics.median(seconds) / statistics.median(decoding)
    keystrokes.sort()
    print(f"{photos} photos of 12 megapixels, {size:.0f} MB, on {os.cpu_count()} cores, {rounds} rounds")
    print(f"thumbnails            {statistics.median(seconds):6.2f} s, slowest round {max(seconds):.2f} s")
    print(f"of a processor        {statistics.median(cpu):6.2f} s   not lengthened by other programs")
    print(f"decoding them whole   {statistics.median(decoding):6.2f} s")
    print(f"thumbnails / decoding {ratio:6.2f}     promised: at most {PROMISED_RATIO}")
    if keystrokes:
        print(f"a keystroke meanwhile {statistics.median(keystrokes):6.1f} ms, 95 of 100 within", end=" ")
        print(f"{keystrokes[int(len(keystrokes) * 0.95)]:.1f} ms, slowest {keystrokes[-1]:.1f} ms")
    return ratio > PROMISED_RATIO


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
