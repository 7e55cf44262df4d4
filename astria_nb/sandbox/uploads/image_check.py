"""Whether a file is an image to train with: told from its structure, without decoding it.

A photo that was cut short, or that unpacks to more than fits, shows in its headers and at its end. To look
there costs a tenth of decoding, and no more memory for a bomb than for a photo.
"""

import struct
import sys
import zlib
from collections.abc import Iterator
from mmap import ACCESS_READ, PAGESIZE, mmap
from pathlib import Path

from PIL import Image

from astria_nb.sandbox.uploads.spool import Upload, sniff

if sys.platform != "win32":
    from mmap import MADV_DONTNEED

MAX_PIXELS = 89_478_485
"""Most pixels of an image: Pillow's own mark of a decompression bomb."""
_MAX_METADATA = 32 * 2**20  # Pillow keeps metadata in memory; a phone's depth map is about 10 MB
_MAX_PIECES = 100_000  # of one file: chunks or segments, each a turn of a loop
_WINDOW = 4 * 2**20
_MAX_SCANS = 100  # of a JPEG: each is a pass over all its pixels; common encoders write ten

BROKEN = (
    *(IndexError, struct.error),  # ours, of headers that end too soon
    *(OSError, ValueError, SyntaxError, Image.DecompressionBombError),  # of Pillow's plugins
)
"""What opening or decoding a broken file raises."""


class Fault(Exception):  # noqa: N818 - of the file, not of ours
    """What is wrong with a file, worded to follow its name."""


def image_fault(upload: Upload) -> str | None:
    """Say why a file is no image to train with; None when it is one."""
    try:
        check_image(upload.path)
    except Fault as fault:
        return f"{upload.filename} {fault}"
    return None


def check_image(path: Path) -> None:
    """Check that a file is a whole JPEG, PNG or WebP image of a size that can be decoded.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    Fault
        When it is not.

    Notes
    -----
    Only what an encoder or a connection does by accident is found: colours that are wrong but well-formed
    are not looked at. An animated image counts as its first frame.

    Examples
    --------
    >>> import tempfile; folder = tempfile.TemporaryDirectory(); path = Path(folder.name) / "1.jpg"
    >>> Image.new("RGB", (640, 480)).save(path); check_image(path)
    >>> _ = path.write_bytes(path.read_bytes()[:-100]); check_image(path)
    Traceback (most recent call last):
    astria_nb.sandbox.uploads.image_check.Fault: is cut short
    >>> folder.cleanup()
    """
    with path.open("rb") as file:
        kind = sniff(file.read(12)).removeprefix("image/").upper()
        if kind not in _CHECKS:
            raise Fault("is not a JPEG, PNG or WebP image")
        with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            try:
                _CHECKS[kind](data)
                Image.open(file, formats=(kind,)).close()
            except BROKEN:
                raise Fault("cannot be opened as an image") from None


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise Fault("has too many pixels")


def _check_jpeg(data: mmap) -> None:
    """Walk the segments up to the first scan; what follows has to come to an end mark."""
    at = 2
    for _ in range(_MAX_PIECES):
        if data[at] != 0xFF:
            break
        mark = data[at + 1]
        if mark == 0xFF:  # a byte of padding
            at += 1
            continue
        (length,) = struct.unpack(">H", data[at + 2 : at + 4])
        if mark == 0xDA:
            _check_scans(data, at)
            return
        if 0xC0 <= mark <= 0xCF and mark not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            _check_size(width, height)
        at += 2 + length
        if at > _MAX_METADATA:
            raise Fault("has too much metadata")
    raise Fault("is damaged")


def _check_scans(data: mmap, first: int) -> None:
    scans, ended = 1, False
    for start, stop in _windows(data, first + 2, len(data)):
        at = start - 1
        # A mark may begin in one window and end in the next.
        while scans <= _MAX_SCANS and (at := data.find(b"\xff\xda", at + 1, stop + 1)) >= 0:
            scans += 1
        ended = ended or data.find(b"\xff\xd9", start, stop + 1) >= 0
    if scans > _MAX_SCANS:
        raise Fault("is made of too many scans")
    if not ended:
        raise Fault("is cut short")


def _checksum(data: mmap, start: int, stop: int) -> int:
    checksum = 0
    with memoryview(data) as view:
        for begin, end in _windows(data, start, stop):
            checksum = zlib.crc32(view[begin:end], checksum)
    return checksum


def _windows(data: mmap, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Yield the bounds of stretches; of a large file no more than one is in memory at a time."""
    for begin in range(start, stop, _WINDOW):
        end = min(begin + _WINDOW, stop)
        yield begin, end
        if sys.platform != "win32" and end - begin == _WINDOW:
            page = begin - begin % PAGESIZE
            data.madvise(MADV_DONTNEED, page, end - page)


def _check_png(data: mmap) -> None:
    """Walk the chunks to the end, checksums included."""
    at, metadata, pixels = 8, 0, False
    for _ in range(_MAX_PIECES):
        if len(data) < at + 12:
            raise Fault("is cut short")
        length, name = struct.unpack(">I4s", data[at : at + 8])
        end = at + 8 + length
        if name == b"IHDR":
            _check_size(*struct.unpack(">II", data[at + 8 : at + 16]))
        elif name in (b"IDAT", b"fdAT"):
            pixels = True
        else:
            metadata += length
        if metadata > _MAX_METADATA:
            raise Fault("has too much metadata")
        if len(data) < end + 4:
            raise Fault("is cut short")
        if data[end : end + 4] != struct.pack(">I", _checksum(data, at + 4, end)):
            break
        if name == b"IEND" and pixels:
            return
        at = end + 4
    raise Fault("is damaged")


def _check_webp(data: mmap) -> None:
    """Read the size of the canvas; the file has to be as long as it says."""
    (length,) = struct.unpack("<I", data[4:8])
    if 8 + length > len(data):
        raise Fault("is cut short")
    kind, head = data[12:16], data[20:30]
    if kind == b"VP8X":
        _check_size(int.from_bytes(head[4:7], "little") + 1, int.from_bytes(head[7:10], "little") + 1)
    elif kind == b"VP8 ":
        width, height = struct.unpack("<HH", head[6:10])
        _check_size(width & 0x3FFF, height & 0x3FFF)
    elif kind == b"VP8L":
        (bits,) = struct.unpack("<I", head[1:5])
        _check_size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    else:
        raise Fault("is damaged")


_CHECKS = {"JPEG": _check_jpeg, "PNG": _check_png, "WEBP": _check_webp}
