"""What follows the compressed pictures of a WebP, inside their chunks, is not sent."""

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from astria_nb.errors import TuneError
from astria_nb.images import BLOCK, UNCHANGED, Preprocessing, SentImage
from astria_nb.images import Image as Photo
from helpers import photos_with_metadata as samples
from helpers.photos_with_metadata import PLACE

DEFAULT = Preprocessing()
Sent = Callable[..., bytes]
PICTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "lossy": ("RGB", {"quality": 60}),
    "lossless": ("RGB", {"lossless": True}),
    "lossless with transparency": ("RGBA", {"lossless": True}),
    "lossy with transparency": ("RGBA", {"quality": 60}),
}


@pytest.fixture
def sent(tmp_path: Path) -> Sent:
    path = tmp_path / "a.webp"

    def sent(photo: bytes, preprocessing: Preprocessing = DEFAULT) -> bytes:
        path.write_bytes(photo)
        opened = SentImage.open(Photo.open(path), preprocessing)
        content = b"".join(bytes(block) for block in opened.blocks(memoryview(bytearray(BLOCK))))
        opened.close()
        return content

    return sent


def webp(mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    samples.picture(mode=mode).save(out, "WEBP", **options)
    return out.getvalue()


def longer(photo: bytes, kind: bytes, more: bytes, start: int = 12) -> bytes:
    """Return a WebP with more in its last chunk of a kind, and in the frame around it."""
    place = photo.rindex(kind)
    size = int.from_bytes(photo[place + 4 : place + 8], "little")
    content = photo[place + 8 : place + 8 + size] + more
    new = kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
    added = len(new) - 8 - size - size % 2
    photo = photo[:place] + new + photo[place + 8 + size + size % 2 :]
    if (frame := photo.rfind(b"ANMF", 0, place)) > 0:
        size = int.from_bytes(photo[frame + 4 : frame + 8], "little") + added
        photo = photo[: frame + 4] + struct.pack("<I", size) + photo[frame + 8 :]
    return b"RIFF" + struct.pack("<I", len(photo) - 8) + photo[8:]


def frames(content: bytes) -> list[bytes]:
    with Image.open(io.BytesIO(content)) as image:
        shown = []
        for number in range(image.n_frames):
            image.seek(number)
            shown.append(image.convert("RGBA").tobytes())
        return shown


@pytest.mark.parametrize(("mode", "options"), PICTURES.values(), ids=PICTURES)
def test_what_follows_a_picture_is_not_sent(sent: Sent, mode: str, options: dict[str, Any]) -> None:
    photo = webp(mode, **options)
    assert sent(photo) == photo
    for kind in (b"VP8 ", b"VP8L", b"ALPH"):
        for more in (PLACE, bytes(9), PLACE * 99):
            if kind in photo:
                plain = sent(longer(photo, kind, more))
                assert PLACE[:4] not in plain
                assert len(plain) <= len(photo) + 4
                assert frames(plain) == frames(photo)
                assert sent(plain) == plain


@pytest.mark.parametrize(("mode", "options"), PICTURES.values(), ids=PICTURES)
def test_what_follows_the_picture_of_a_frame_is_not_sent(
    sent: Sent, mode: str, options: dict[str, Any]
) -> None:
    out = io.BytesIO()
    first, *more = (samples.picture(mode=mode).rotate(turn) for turn in (0, 40, 80))
    first.save(out, "WEBP", save_all=True, append_images=more, **options)
    photo = out.getvalue()
    assert sent(photo) == photo
    for kind in (b"VP8 ", b"VP8L", b"ALPH"):
        if kind in photo:
            plain = sent(longer(photo, kind, PLACE))
            assert PLACE[:4] not in plain
            assert frames(plain) == frames(photo)


def test_a_file_that_is_sent_unchanged_keeps_it(sent: Sent) -> None:
    photo = longer(webp(), b"VP8 ", PLACE)
    assert sent(photo, UNCHANGED) == photo


def test_a_picture_that_is_cut_short_in_its_chunk_is_refused(sent: Sent) -> None:
    photo = webp()
    place, size = photo.index(b"VP8 "), int.from_bytes(photo[16:20], "little")
    short = photo[place + 8 : place + 8 + size // 4 * 2]
    chunk = b"WEBPVP8 " + struct.pack("<I", len(short)) + short
    with pytest.raises(TuneError, match="damaged"):
        sent(b"RIFF" + struct.pack("<I", len(chunk)) + chunk)
