#!/usr/bin/env bash
# Pillow 13.0.0: load() raises for a PNG whose pixels are all there, and the second load() succeeds.
#
# Expected: a compressed text of 5 MB, behind the pixels of a PNG as before them, is either skipped or always an error.
# Seen: before the pixels, open() raises ValueError. Behind them, load() has decoded the picture when it meets the text,
# and raises the same ValueError; whoever calls load(), or anything that does, once more gets the picture. getexif(),
# which loads a PNG to find EXIF data behind its pixels, raises only if it is the first of them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pillow==13.0.0
cat >"$folder/text.py" <<'P'
import io
import struct
import zlib

from PIL import Image

out = io.BytesIO()
Image.linear_gradient("L").save(out, "PNG")
png, content = out.getvalue(), b"Comment\0\0" + zlib.compress(b"x" * 5_000_000)
kind = b"zTXt"
text = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def outcome(work):
    try:
        work()
    except ValueError as error:
        return str(error)
    return "succeeds"


for before in (b"IDAT", b"IEND"):
    place = png.index(before) - 4
    file = io.BytesIO(png[:place] + text + png[place:])
    print("text before", before.decode())
    print(" open:", outcome(lambda: Image.open(file)))
    if before == b"IEND":
        image = Image.open(file)
        print(" load:", outcome(image.load))
        print(" load again:", outcome(image.load), image.getextrema())
        image = Image.open(file)
        print(" getexif:", outcome(image.getexif))
        print(" getexif again:", outcome(image.getexif))
P
seen=$("$folder/venv/bin/python" "$folder/text.py")
printf '%s\n' "$seen"
[ "$seen" = "text before IDAT
 open: Decompressed data too large for PngImagePlugin.MAX_TEXT_CHUNK
text before IEND
 open: succeeds
 load: Decompressed data too large for PngImagePlugin.MAX_TEXT_CHUNK
 load again: succeeds (0, 255)
 getexif: Decompressed data too large for PngImagePlugin.MAX_TEXT_CHUNK
 getexif again: succeeds" ]
