#!/usr/bin/env bash
# Pillow 13.0.0, ImageCms: the date of a profile that has none raises ValueError, though the profile converts colours.
#
# Expected: None, as for other fields that a profile does not fill in.
# Seen: twelve zero bytes in the header, as all profiles of Ghostscript have them, are read as the year 0, month 0, day 0.
# `profile.creation_date` raises; a program that lists all attributes of a profile fails on these. Description, copyright
# and transforms work.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pillow==13.0.0
cat >"$folder/date.py" <<'P'
import io

from PIL import Image, ImageCms

content = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
undated = ImageCms.ImageCmsProfile(io.BytesIO(content[:24] + bytes(12) + content[36:]))
image = Image.new("RGB", (1, 1), (200, 100, 50))
converted = ImageCms.profileToProfile(image, undated, ImageCms.createProfile("sRGB"))
print(ImageCms.getProfileDescription(undated).strip(), "|", undated.profile.manufacturer, "|", converted.getpixel((0, 0)))
try:
    print(undated.profile.creation_date)
except ValueError as error:
    print("ValueError:", error)
P
seen=$("$folder/venv/bin/python" "$folder/date.py")
printf '%s\n' "$seen"
[ "$seen" = "sRGB built-in | None | (200, 100, 50)
ValueError: year 0 is out of range" ]
