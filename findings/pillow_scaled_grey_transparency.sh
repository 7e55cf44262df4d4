#!/usr/bin/env bash
# Pillow 13.0.0: grey PNG files of 2 and 4 bits with a transparent grey are opaque in RGBA.
#
# Expected: the pixels of the grey that tRNS names have alpha 0 in convert("RGBA"), whatever the depth.
# Seen: at 1, 8 and 16 bits they have. At 2 and 4 bits the greys are scaled to 8 bits when they are decoded (times 85
# and 17), info["transparency"] keeps the number of the file, and no pixel, or one of another grey, is equal to it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pillow==13.0.0
cat >"$folder/grey.py" <<'P'
import io
import struct
import zlib

from PIL import Image


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def picture(depth, pixels):
    """Return a PNG of one row of grey, of which 1 is transparent."""
    size = struct.pack(">IIBBBBB", 8 * len(pixels) // depth, 1, depth, 0, 0, 0, 0)
    chunks = [(b"IHDR", size), (b"tRNS", b"\0\1"), (b"IDAT", zlib.compress(b"\0" + pixels)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*parts) for parts in chunks)


ROWS = {1: b"\x55", 2: b"\x1b", 4: b"\x01\x23", 8: b"\0\1\2\3", 16: b"\0\0\0\1\0\2\0\3"}
for depth, pixels in ROWS.items():
    image = Image.open(io.BytesIO(picture(depth, pixels)))
    alpha = image.convert("RGBA").getchannel("A").tobytes().hex(" ")
    print(f"{depth} bits: mode {image.mode}, transparency {image.info['transparency']}, alpha {alpha}")
P
seen=$("$folder/venv/bin/python" "$folder/grey.py")
printf '%s\n' "$seen"
[ "$seen" = "1 bits: mode 1, transparency 255, alpha ff 00 ff 00 ff 00 ff 00
2 bits: mode L, transparency 1, alpha ff ff ff ff
4 bits: mode L, transparency 1, alpha ff ff ff ff
8 bits: mode L, transparency 1, alpha ff 00 ff ff
16 bits: mode I;16, transparency 1, alpha ff 00 ff ff" ]
