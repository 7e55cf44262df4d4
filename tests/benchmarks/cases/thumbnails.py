"""Photos in the form: until each has its thumbnail, and a keystroke meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.protocol import Case, Figure


@contextmanager
def prepare(folder: Path, photos: int, side: int) -> Iterator[dict[str, Any]]:
    """Save photos with as much detail as a phone's: of 4000 x 3000 pixels, about 4 MB each."""
    from PIL import Image

    noise = Image.merge("RGB", [Image.effect_noise((side // 4, side * 3 // 16), 60) for _ in range(3)])
    picture = noise.resize((side, side * 3 // 4), Image.Resampling.BICUBIC)
    paths = [folder / f"{number}.jpg" for number in range(photos)]
    picture.save(paths[0], quality=85)
    for number, path in enumerate(paths[1:]):
        path.write_bytes(paths[0].read_bytes() + bytes([number]))
    yield {"paths": [*map(str, paths)]}


def peer(paths: list[str], **_: Any) -> dict[str, Any]:
    import os
    import time
    from concurrent.futures import ThreadPoolExecutor

    from PIL import Image

    def decode(path: str) -> None:
        with Image.open(path) as image:
            image.load()

    started = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(decode, paths))
    return {"seconds": time.perf_counter() - started}


def ours(paths: list[str], **_: Any) -> dict[str, Any]:
    import statistics
    import threading
    import time

    import astria_nb as anb
    from astria_nb.form.images._image_list import ImageList

    thumbnails, done, keystrokes = list[bytes | None](), threading.Event(), list[float]()
    with anb.Sandbox() as sandbox:
        form = anb.TuneForm(sandbox.client(), pack=260, name="man")
        children = form._draft.fields["images"].children
        tiles = next(child for child in children if isinstance(child, ImageList))

        def draw(_: str, jpeg: bytes | None) -> None:
            thumbnails.append(jpeg)
            if len(thumbnails) == len(paths):
                done.set()

        tiles.show_thumbnail = draw
        started = time.perf_counter()
        form.fill(images=[*map(Path, paths)])
        while not done.wait(0.02):
            pressed = time.perf_counter()
            form._draft.fields["title"].value = f"title {pressed}"
            keystrokes.append(time.perf_counter() - pressed)
        seconds = time.perf_counter() - started
        form.fill(images=None)
    assert None not in thumbnails
    return {"seconds": seconds, "keystroke": statistics.median(keystrokes or [0.0])}


CASE = Case(
    what="16 photos of 12 megapixels in the form, until each has its thumbnail",
    against="decoding them whole, on all cores",
    ours=ours,
    peer=peer,
    prepare=prepare,
    figures=(
        Figure("seconds", "time", most=1.5),
        Figure("keystroke", "a keystroke meanwhile", beside=None),
    ),
    sizes={"photos": 16, "side": 4000},
    small={"photos": 1, "side": 1100},
)
