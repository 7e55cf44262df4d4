#!/usr/bin/env bash
# Pillow 13.0.0: the orientation of a photo is found in XMP only if its attributes are in double quotes.
#
# Expected: XMP is XML, where 'single' and "double" quotes mean the same, so exif_transpose turns both photos.
# Seen: getexif() looks for tiff:Orientation="…" as text. With single quotes, which some writers of XML prefer, the
# photo stays on its side, although getxmp(), which parses, has the value.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pillow==13.0.0 defusedxml==0.7.1
cat >"$folder/quotes.py" <<'P'
import io
import struct

from PIL import Image, ImageOps

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>"""

out = io.BytesIO()
Image.new("RGB", (4, 2)).save(out, "JPEG")
jpeg = out.getvalue()
for name, xmp in (("double", XMP), ("single", XMP.replace('"', "'"))):
    segment = b"http://ns.adobe.com/xap/1.0/\0" + xmp.encode()
    photo = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]
    image = Image.open(io.BytesIO(photo))
    told = image.getxmp()["xmpmeta"]["RDF"]["Description"]["Orientation"]
    upright = ImageOps.exif_transpose(image)
    print(f"{name} quotes: getxmp {told}, getexif {image.getexif().get(0x112)}, upright {upright.size}")
P
seen=$("$folder/venv/bin/python" "$folder/quotes.py")
printf '%s\n' "$seen"
[ "$seen" = "double quotes: getxmp 6, getexif 6, upright (2, 4)
single quotes: getxmp 6, getexif None, upright (4, 2)" ]
