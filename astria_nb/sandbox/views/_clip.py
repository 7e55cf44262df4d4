"""A video of one picture: an MP4 file with a single frame of Motion JPEG, which most players show."""

import struct

_SECONDS = 5
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def clip(jpeg: bytes, width: int, height: int) -> bytes:
    """Return a video of five seconds that shows a picture.

    Parameters
    ----------
    jpeg : bytes
        The picture.
    width, height : int
        Its size in pixels.
    """
    head = _box("ftyp", b"isom", struct.pack(">I", 0x200), b"isommp41")
    where = len(head) + 8  # after the header of `mdat`
    return head + _box("mdat", jpeg) + _movie(len(jpeg), where, width, height)


def _movie(size: int, where: int, width: int, height: int) -> bytes:
    sample = _full_box("stsd", 0, struct.pack(">I", 1), _box("mp4v", _frame_format(width, height)))
    table = _box(
        "stbl",
        sample,
        _full_box("stts", 0, struct.pack(">3I", 1, 1, _SECONDS)),
        _full_box("stsc", 0, struct.pack(">4I", 1, 1, 1, 1)),
        _full_box("stsz", 0, struct.pack(">3I", 0, 1, size)),
        _full_box("stco", 0, struct.pack(">2I", 1, where)),
    )
    here = _full_box("dref", 0, struct.pack(">I", 1), _full_box("url ", 1))
    media = _box(
        "mdia",
        _full_box("mdhd", 0, struct.pack(">4I2H", 0, 0, 1, _SECONDS, 0x55C4, 0)),
        _full_box("hdlr", 0, struct.pack(">I", 0), b"vide", bytes(13)),
        _box("minf", _full_box("vmhd", 1, bytes(8)), _box("dinf", here), table),
    )
    track = _full_box(
        "tkhd",
        3,
        struct.pack(">5I", 0, 0, 1, 0, _SECONDS),
        bytes(16),
        _MATRIX,
        struct.pack(">2I", width << 16, height << 16),
    )
    header = _full_box(
        "mvhd",
        0,
        struct.pack(">4I", 0, 0, 1, _SECONDS),
        struct.pack(">IH10x", 0x10000, 0x100),
        _MATRIX,
        bytes(24),
        struct.pack(">I", 2),
    )
    return _box("moov", header, _box("trak", track, media))


def _frame_format(width: int, height: int) -> bytes:
    """Return the description of a frame: Motion JPEG is object type 0x6C of MPEG-4."""
    decoder = b"\x04\x0d" + struct.pack(">BB3xII", 0x6C, 0x11, 0, 0)
    stream = b"\x03" + bytes([3 + len(decoder) + 3]) + b"\0\1\0" + decoder + b"\x06\1\2"
    visual = struct.pack(">6xH16x2H3I", 1, width, height, 0x480000, 0x480000, 0)
    return visual + struct.pack(">H32xHh", 1, 24, -1) + _full_box("esds", 0, stream)


def _box(kind: str, *content: bytes) -> bytes:
    data = b"".join(content)
    return struct.pack(">I4s", 8 + len(data), kind.encode()) + data


def _full_box(kind: str, flags: int, *content: bytes) -> bytes:
    return _box(kind, struct.pack(">I", flags), *content)
