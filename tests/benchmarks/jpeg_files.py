"""Photos of any size, made in a moment."""

import os
from pathlib import Path

from PIL import Image


def photos(folder: Path, count: int, size: int) -> list[Path]:
    """Make JPEG files with a location, no two alike. Their data is noise: as dense as that of real photos."""
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 1.0), 3: "E", 4: (13.0, 22.0, 2.0)})
    paths = [folder / f"{number}.jpg" for number in range(count)]
    Image.new("RGB", (64, 64)).save(paths[0], exif=exif)
    head, end = paths[0].read_bytes()[:-2], b"\xff\xd9"
    noise = (
        os.urandom(size).replace(b"\xff", b"\xff\x00")[: size - len(head) - len(end)].removesuffix(b"\xff")
    )
    for number, path in enumerate(paths):
        own = str(number).encode()
        path.write_bytes(b"".join((head, own, noise[len(own) :], end)))
    return paths
