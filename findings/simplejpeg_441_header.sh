#!/usr/bin/env bash
# simplejpeg 1.9.0: the header of a JPEG with 4:4:1 chroma subsampling cannot be asked for, though its pixels can.
#
# Expected: decode_jpeg_header returns height, width, colour space and '441', or raises the ValueError that its
# documentation names.
# Seen: KeyError(6). decode_jpeg decodes the same file, as Pillow does. The number is libjpeg-turbo's for this sampling, which
# came after the others and is not among the names of simplejpeg. One Y block beside another (4:1:1) is known, one above
# another is not: such a file comes of a 4:1:1 picture that was turned by a quarter without being decoded.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --no-deps simplejpeg==1.9.0 numpy==2.3.5 pillow==12.0.0
cat >"$folder/header.py" <<'P'
import io

import simplejpeg
from PIL import Image

# One unit of four Y blocks, a Cb and a Cr block, which the frame arranges as 2 x 2, 4 x 1 and 1 x 4.
file = io.BytesIO()
Image.new("RGB", (16, 16), "teal").save(file, "JPEG", subsampling="4:2:0")
jpeg = bytearray(file.getvalue())
frame = jpeg.index(b"\xff\xc0")
for factors, height, width in ((0x22, 16, 16), (0x41, 8, 32), (0x14, 32, 8)):
    jpeg[frame + 5 : frame + 9] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    jpeg[frame + 11] = factors
    try:
        header = simplejpeg.decode_jpeg_header(bytes(jpeg))
    except KeyError as error:
        header = repr(error)
    with Image.open(io.BytesIO(jpeg)) as image:
        pillow = image.convert("RGB").getcolors()
    print(f"{factors:#x}: {header}, {simplejpeg.decode_jpeg(bytes(jpeg)).shape}, Pillow: {pillow}")
P
seen=$("$folder/venv/bin/python" "$folder/header.py")
printf '%s\n' "$seen"
[ "$seen" = "0x22: (16, 16, 'YCbCr', '420'), (16, 16, 3), Pillow: [(256, (0, 128, 131))]
0x41: (8, 32, 'YCbCr', '411'), (8, 32, 3), Pillow: [(256, (0, 128, 131))]
0x14: KeyError(6), (32, 8, 3), Pillow: [(256, (0, 128, 131))]" ]
