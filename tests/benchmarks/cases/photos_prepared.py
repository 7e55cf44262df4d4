"""Preparing photos for upload: without their metadata, checked for damage, and made smaller."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.protocol import Case, Figure

SETTLED_SECONDS = 2.1  # a file that was just changed is not remembered


@contextmanager
def prepare(folder: Path, photos: int, side: int) -> Iterator[dict[str, Any]]:
    from PIL import Image

    paths = [folder / f"{number}.jpg" for number in range(photos)]
    noise = Image.effect_noise((side, side * 3 // 4), 25).convert("RGB")
    for path in paths:
        noise.save(path, quality=90)
    yield {"paths": [*map(str, paths)]}


def seconds(work: Callable[[], object]) -> float:
    import time

    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def peer(paths: list[str], side: int, **_: Any) -> dict[str, Any]:
    import io
    from concurrent.futures import ThreadPoolExecutor

    from PIL import Image, ImageOps

    def decode(path: str) -> None:
        with Image.open(path) as image:
            image.load()

    def make_smaller(path: str) -> None:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((side // 2, side // 2))
            upright.save(io.BytesIO(), "JPEG", quality=92, icc_profile=image.info.get("icc_profile"))

    with ThreadPoolExecutor(2) as pool:
        reading = seconds(lambda: [Path(path).read_bytes() for path in paths])
        decoding = seconds(lambda: [*pool.map(decode, paths)])
    return {
        "clean": reading,
        "check": decoding,
        "again": decoding,
        "smaller": seconds(lambda: [*map(make_smaller, paths)]),
    }


def ours(paths: list[str], side: int, **_: Any) -> dict[str, Any]:
    import os
    import time

    from astria_nb.images import Image, Preprocessing, open_all

    photos = [Image.open(Path(path)) for path in paths]

    def prepare_all(**options: Any) -> float:
        def work() -> None:
            for photo in open_all(photos, Preprocessing(**options)):
                photo.close()

        return seconds(work)

    def forget() -> None:
        for path in paths:
            os.utime(path)

    prepare_all(keep_damaged=True)  # imports what it needs
    clean = prepare_all(keep_damaged=True)
    forget()
    check = prepare_all() - clean
    time.sleep(SETTLED_SECONDS)
    prepare_all()
    again = prepare_all()
    forget()
    return {"clean": clean, "check": check, "again": again, "smaller": prepare_all(max_side=side // 2)}


CASE = Case(
    what="16 photos of 12 megapixels, prepared for upload",
    against="Pillow: reading, decoding by two threads, a loop of thumbnails",
    ours=ours,
    peer=peer,
    prepare=prepare,
    figures=(
        Figure("clean", "without metadata, beside reading"),
        Figure("check", "check for damage, beside decoding", most=0.6),
        Figure("again", "the same files again, beside decoding"),
        Figure("smaller", "made smaller, beside a loop", most=0.8),
    ),
    sizes={"photos": 16, "side": 4000},
    small={"photos": 2, "side": 1100},
    rounds=3,
)
