"""Time until 16 photos of 12 megapixels are shown in the form, and the time of a keystroke meanwhile.

Run ``python tests/benchmarks/thumbnails.py [rounds]``. Timed from setting the list of paths until every photo
has its thumbnail. A keystroke is a change of the title, with everything that the form does in response.
"""

import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from PIL import Image

import astria_nb as anb
from astria_nb.form.images.image_list import ImageList

PHOTOS, PROMISED_SECONDS = 16, 2.0


def photograph(folder: Path) -> list[Path]:
    """Save photos of 4000 x 3000 pixels with as much detail as those of a phone: about 4 MB each."""
    noise = Image.merge("RGB", [Image.effect_noise((1000, 750), 60) for _ in range(3)])
    picture = noise.resize((4000, 3000), Image.Resampling.BICUBIC)
    paths = [folder / f"{number}.jpg" for number in range(PHOTOS)]
    picture.save(paths[0], quality=85)
    for number, path in enumerate(paths[1:]):
        path.write_bytes(paths[0].read_bytes() + bytes([number]))
    return paths


def show(form: anb.TuneForm, tiles: ImageList, paths: list[Path]) -> tuple[float, float, list[float]]:
    """Return the seconds until all photos are shown, the CPU seconds, and the seconds of each keystroke."""
    drawn, done = [], threading.Event()

    def draw(item_id: str, jpeg: bytes | None) -> None:
        drawn.append(jpeg)
        if len(drawn) == PHOTOS:
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
    assert None not in drawn
    form.fill(images=None)
    return seconds, cpu, keystrokes


def main(rounds: int = 5) -> int:
    with tempfile.TemporaryDirectory() as name, anb.Sandbox() as sandbox:
        paths = photograph(Path(name))
        form = anb.TuneForm(sandbox.client(), pack=260, name="man")
        tiles = next(child for child in form._draft.fields["images"].children if isinstance(child, ImageList))
        measured = [show(form, tiles, paths) for _ in range(rounds)]
        size = sum(path.stat().st_size for path in paths) / 1e6
    seconds, cpu = [wall for wall, _, _ in measured], [process for _, process, _ in measured]
    keystrokes = sorted(pressed * 1000 for _, _, times in measured for pressed in times)
    print(f"{PHOTOS} photos of 12 megapixels, {size:.0f} MB, on {os.cpu_count()} cores, {rounds} rounds")
    print(f"thumbnails and hashes {statistics.median(seconds):6.2f} s   promised: under {PROMISED_SECONDS} s")
    print(f"slowest round         {max(seconds):6.2f} s")
    print(f"of a processor        {statistics.median(cpu):6.2f} s   which other programs do not lengthen")
    print(f"a keystroke meanwhile {statistics.median(keystrokes):6.1f} ms, 95 of 100 within", end=" ")
    print(f"{keystrokes[int(len(keystrokes) * 0.95)]:.1f} ms, slowest {keystrokes[-1]:.1f} ms")
    return statistics.median(seconds) > PROMISED_SECONDS


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
