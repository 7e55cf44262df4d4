#!/usr/bin/env bash
# Pillow 13.0.0: a PNG with a colour profile of more than a megabyte is written, and cannot be opened again.
#
# Expected: what Pillow writes, it reads. Profiles with tables for each direction (those of printers and of cameras) have a
# megabyte and more; JPEG, WebP, TIFF and AVIF files with the same profile are read.
# Seen: `Image.open` raises ValueError about "MAX_TEXT_CHUNK", though the profile is no text: one limit is for both. That limit
# can be changed only for the whole process, and whoever opens such a file of somebody else must do so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pillow==13.0.0
seen=$("$folder/venv/bin/python" - <<'P'
import io
import struct

import PIL
from PIL import Image, ImageCms

small = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
print(f"Pillow {PIL.__version__}")
for size in (900_000, 1_200_000):
    # The first field of a profile is its size; what follows the last of its elements is padding.
    profile = struct.pack(">I", size) + small[4:] + bytes(size - len(small))
    assert "sRGB" in ImageCms.getProfileDescription(ImageCms.getOpenProfile(io.BytesIO(profile)))
    for kind in ("JPEG", "WEBP", "TIFF", "AVIF", "PNG"):
        file = io.BytesIO()
        Image.new("RGB", (8, 8), "red").save(file, kind, icc_profile=profile)
        file.seek(0)
        try:
            read = Image.open(file).info["icc_profile"] == profile
        except ValueError as error:
            read = f"ValueError: {error}"
        print(f"{kind}, a profile of {size} bytes: {read}")
P
)
printf '%s\n' "$seen"
diff <(printf '%s\n' "$seen") - <<'EXPECTED'
Pillow 13.0.0
JPEG, a profile of 900000 bytes: True
WEBP, a profile of 900000 bytes: True
TIFF, a profile of 900000 bytes: True
AVIF, a profile of 900000 bytes: True
PNG, a profile of 900000 bytes: True
JPEG, a profile of 1200000 bytes: True
WEBP, a profile of 1200000 bytes: True
TIFF, a profile of 1200000 bytes: True
AVIF, a profile of 1200000 bytes: True
PNG, a profile of 1200000 bytes: ValueError: Decompressed data too large for PngImagePlugin.MAX_TEXT_CHUNK
EXPECTED
echo "as described"
