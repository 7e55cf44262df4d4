#!/usr/bin/env bash
# Pillow 13.0.0: saving an AVIF removes the orientation from the Image.Exif that was passed to it.
#
# Expected: `save(path, exif=exif)` reads `exif` and leaves it as it is, as the writers of JPEG, PNG and WebP do.
# Seen: the writer of AVIF takes the orientation out of the caller's own object, as it stands in the container of an
# AVIF. The first file is upright; whatever is saved with the same object afterwards, in any format, lies on its side.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pillow==13.0.0
cat >"$folder/taken.py" <<'P'
import io

from PIL import Image

ORIENTATION = 0x0112
for kind in ("JPEG", "PNG", "WEBP", "AVIF"):
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # to be turned by a quarter
    told = []
    for _ in range(2):
        out = io.BytesIO()
        Image.new("RGB", (64, 32), "teal").save(out, kind, exif=exif)
        told.append(Image.open(out).getexif().get(ORIENTATION))
    print(f"{kind}: the first file tells {told[0]}, the second {told[1]}, the object {exif.get(ORIENTATION)}")
P
seen=$("$folder/venv/bin/python" "$folder/taken.py")
printf '%s\n' "$seen"
[ "$seen" = "JPEG: the first file tells 6, the second 6, the object 6
PNG: the first file tells 6, the second 6, the object 6
WEBP: the first file tells 6, the second 6, the object 6
AVIF: the first file tells 6, the second None, the object None" ]
