"""How many sharp photos are called blurry, and how many blurred ones are found.

Run ``python tests/proofs/blurred_photos.py PHOTO_OR_FOLDER ...`` with photos that are sharp, such as
notebooks/samples, and those that scikit-image and scikit-learn carry. Of each, sharp and blurred forms are
made.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent))

from astria_nb.images import pictures_in
from astria_nb.images._metrics import is_blurry
from helpers.blurred_photos import blurred_forms, sharp_forms

SIDE = 1024  # pixels, as the advice measures


def photos(names: list[str]) -> Iterator[Path]:
    """Yield the photos that were named, and those in the folders."""
    for path in map(Path, names):
        yield from pictures_in(path) if path.is_dir() else [path]


def prove(names: list[str]) -> bool:
    """Print both figures and what they miss; return whether they are as promised."""
    wrong: list[str] = []
    missed: list[str] = []
    sharp = blurred = 0
    for path in photos(names):
        with Image.open(path) as opened:
            photo = opened.convert("RGB")
        photo.thumbnail((SIDE, SIDE))
        for name, form in sharp_forms(photo):
            sharp += 1
            wrong += [f"{path.name}, {name}"] * is_blurry(form.convert("L"))
        for name, form in blurred_forms(photo):
            blurred += 1
            missed += [f"{path.name}, {name}"] * (not is_blurry(form.convert("L")))
    print(f"sharp photos called blurry: {len(wrong)} of {sharp}", *wrong, sep="\n  ")
    print(f"blurred photos found: {blurred - len(missed)} of {blurred}; not found:", *missed, sep="\n  ")
    return not wrong and len(missed) <= blurred / 10


if __name__ == "__main__":
    sys.exit(not prove(sys.argv[1:]))
