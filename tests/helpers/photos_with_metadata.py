"""Photos with a location in every part of a file that can contain one."""

import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageCms, ImageDraw

PLACE = b"Sofienstrasse 12, Berlin"
PARTS = (b"Sofie", b"nstras", b"se 12", b"Berl", b"erlin")
"""Parts of the place, of which some are still found after a test damaged others."""
GPS, ORIENTATION = 0x8825, 0x0112
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def picture(size: tuple[int, int] = (80, 60), mode: str = "RGB") -> Image.Image:
    """Return an image without symmetry, so that every rotation of it differs."""
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    draw = ImageDraw.Draw(image)
    draw.rectangle((4, 4, size[0] // 2, size[1] // 3), fill="red")
    draw.ellipse((size[0] // 2, 2, size[0] - 4, size[1] - 8), fill="teal")
    if mode == "RGBA":
        image.putalpha(Image.radial_gradient("L").resize(size))
    return image.convert(mode)


def exif(orientation: int | None = None, maker: bytes = PLACE) -> Image.Exif:
    tags = Image.Exif()
    tags[0x010F] = maker.decode()  # the maker of the camera
    if orientation is not None:
        tags[ORIENTATION] = orientation
    tags.get_ifd(GPS).update({1: "N", 2: (52.0, 31.0, 12.5), 3: "E", 4: (13.0, 22.0, 4.5), 0x1C: PLACE})
    return tags


def xmp(orientation: int | None = None) -> bytes:
    turned = f' tiff:Orientation="{orientation}"' if orientation else ""
    return b'<x:xmpmeta><rdf:Description photoshop:City="%s"%s/></x:xmpmeta>' % (PLACE, turned.encode())


def jpeg(orientation: int | None = 6, **options: Any) -> bytes:
    out = io.BytesIO()
    options = {"icc_profile": PROFILE, "xmp": xmp(), "comment": PLACE, "dpi": (100, 100), **options}
    picture().save(out, "JPEG", exif=exif(orientation), **options)
    return out.getvalue()


def segment(marker: int, content: bytes) -> bytes:
    """Return a segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def with_segments(photo: bytes, *segments: bytes, at: bytes = b"\xff\xdb") -> bytes:
    """Insert segments before the first marker of a kind; by default before the quantization tables."""
    place = photo.index(at)
    return photo[:place] + b"".join(segments) + photo[place:]


def mpo() -> bytes:
    """Return what phones save as .jpg: a JPEG followed by a second image, which has its own metadata."""
    out = io.BytesIO()
    second = picture((40, 30))
    second.encoderinfo = {"exif": exif(), "comment": PLACE}
    picture().save(out, "MPO", save_all=True, append_images=[second], exif=exif(8), icc_profile=PROFILE)
    return out.getvalue()


def motion_photo() -> bytes:
    """Return a photo followed by a video, which contains the place as well."""
    atom = b"\xa9xyz" + PLACE
    video = struct.pack(">I", 8 + len(atom)) + b"udta" + atom
    return jpeg() + struct.pack(">I", 16) + b"ftypmp42\0\0\0\0" + video


def png(orientation: int | None = 6, mode: str = "RGB", **options: Any) -> bytes:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Comment", PLACE.decode())
    info.add_text("Location", PLACE.decode() * 20, zip=True)
    info.add_itxt("XML:com.adobe.xmp", xmp().decode())
    info.add(b"tIME", struct.pack(">HBBBBB", 2024, 5, 6, 7, 8, 9))
    info.add(b"prVt", PLACE, after_idat=True)
    out = io.BytesIO()
    options = {"icc_profile": PROFILE, "dpi": (72, 72), **options}
    picture(mode=mode).save(out, "PNG", exif=exif(orientation), pnginfo=info, **options)
    return out.getvalue() + PLACE


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def webp(orientation: int | None = 6, mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    options = {"icc_profile": PROFILE, "xmp": xmp(), **options}
    picture(mode=mode).save(out, "WEBP", exif=exif(orientation), **options)
    return out.getvalue() + PLACE


def animated(kind: str) -> bytes:
    """Return an animation of three frames."""
    out = io.BytesIO()
    frames = [picture().rotate(turn) for turn in (0, 90, 180)]
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=100, exif=exif())
    return out.getvalue()


def heic(orientation: int | None = None) -> bytes:
    import pillow_heif

    pillow_heif.register_heif_opener()
    out = io.BytesIO()
    picture((640, 480)).save(out, "HEIF", exif=exif(orientation))
    return out.getvalue()
