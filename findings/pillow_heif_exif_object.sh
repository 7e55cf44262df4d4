#!/usr/bin/env bash
# pillow_heif 1.8.1, Pillow 13.0.0: the same EXIF data turn a HEIC if they are given as bytes, and not as Image.Exif.
#
# Expected: `save(exif=…)` takes bytes or an Image.Exif, as Pillow's own formats do, and both make the same file.
# Seen: of an orientation in bytes, pillow_heif makes a rotation of the container (`irot`), and the picture is upright in
# every viewer. Of the same Image.Exif it writes the EXIF data alone. Viewers of HEIC turn a picture as the container
# says, and not as the EXIF data say: this one lies on its side. Pillow's AVIF has the rotation either way.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pillow==13.0.0 pillow_heif==1.8.1
cat >"$folder/turned.py" <<'P'
import io

import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()
ORIENTATION = 0x0112

for kind in ("AVIF", "HEIF"):
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # to be turned by a quarter
    for given in (exif.tobytes(), exif):
        out = io.BytesIO()
        Image.new("RGB", (64, 32), "teal").save(out, kind, exif=given)
        is_in_container = b"irot" in out.getvalue()
        print(f"{kind}, {type(given).__name__}: rotation in the container: {is_in_container}")
P
seen=$("$folder/venv/bin/python" "$folder/turned.py")
printf '%s\n' "$seen"
[ "$seen" = "AVIF, bytes: rotation in the container: True
AVIF, Exif: rotation in the container: True
HEIF, bytes: rotation in the container: True
HEIF, Exif: rotation in the container: False" ]
