"""PIL images and arrays of pixels, as the files that are sent."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from astria_nb.images._colours import profile_of, settled
from astria_nb.images._decoding import InvalidImageError

if TYPE_CHECKING:  # slow to import
    from PIL import Image as Pillow

_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
_PLAIN_MODES = ("1", "L", "RGB", "RGBA")
_DEEP_MODES = ("F", "I")  # 32 bits a pixel, with an unknown range
_TO_8_BITS = {
    **dict.fromkeys(("f", "b"), "(array * 255).astype('uint8') if it is 0 to 1"),
    **dict.fromkeys(("i", "u"), "array.astype('uint8') if it is 0 to 255"),
    "uint16": "(array // 256).astype('uint8') if it is 0 to 65535",
}


def is_pixels(value: Any) -> bool:
    """Return whether a value is an array of numbers, such as numpy's, and not a column of a frame."""
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    is_frame = hasattr(value, "index")
    return kind in ("u", "i", "f", "b") and getattr(value, "ndim", 0) > 0 and not is_frame


def is_pil(value: Any) -> bool:
    """Return whether a value is one of Pillow's images."""
    return any(base.__module__ == "PIL.Image" for base in type(value).__mro__)


def is_untouched(image: Pillow.Image) -> bool:
    """Return whether a PIL image is as it was opened: its pixels were not read, and so not changed."""
    is_open = getattr(image, "fp", None) is not None and bool(getattr(image, "tile", None))
    return is_open and image.tell() == 0 and image.mode != "P"  # its palette may have been changed already


def is_as_in_file(image: Pillow.Image, path: str) -> bool:
    """Return whether an image is unchanged although its pixels were read, as a notebook does to show it."""
    from PIL import Image as Pillow  # slow to import

    with suppress(Exception), Pillow.open(path) as original:  # Pillow raises many kinds for a damaged file
        keys = "transparency", "icc_profile"
        if (image.mode, image.size) != (original.mode, original.size):
            return False
        if image.tobytes() != original.tobytes() or image.getpalette() != original.getpalette():
            return False
        return all(image.info.get(key) == original.info.get(key) for key in keys)
    return False


def picture_of(pixels: Any) -> Pillow.Image:
    """Return an array of 8-bit pixels as a PIL image.

    Raises
    ------
    InvalidImageError
        The array has another dtype, or another shape.
    """
    from PIL import Image as Pillow  # slow to import

    shape = tuple(pixels.shape)
    if str(pixels.dtype) != "uint8":
        code = _TO_8_BITS.get(str(pixels.dtype)) or _TO_8_BITS[pixels.dtype.kind]
        hint = f"give uint8 from 0 to 255, such as {code}"
        raise InvalidImageError(f"is an array of {pixels.dtype}", hint)
    if len(shape) == 3 and shape[2] == 1:
        pixels, shape = pixels[:, :, 0], shape[:2]
    is_picture = (len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))) and 0 not in shape
    if not is_picture:
        hint = "give height x width, or height x width x 3 or 4"
        if len(shape) == 3 and shape[0] in (1, 3, 4):
            hint = "give array.transpose(1, 2, 0), which has the colours last"
        raise InvalidImageError(f"is an array of {' x '.join(map(str, shape))} numbers", hint)
    import numpy as np

    return Pillow.fromarray(np.ascontiguousarray(pixels))


def as_bytes(value: Any) -> bytes:
    """Return bytes that identify the pixels of a PIL image or an array."""
    if is_pixels(value):
        return f"{value.dtype} {value.shape}".encode() + bytes(value.tobytes())
    image = value if value.mode in _PLAIN_MODES else value.convert("RGBA")
    return f"{image.mode} {image.size}".encode() + bytes(image.tobytes())


def as_png(image: Pillow.Image) -> bytes:
    """Return the pixels of an image as a PNG: upright, with its colour information and no other metadata.

    Colours that a PNG cannot have, such as CMYK, are converted to sRGB.

    Raises
    ------
    InvalidImageError
        Its pixels cannot be read, or do not stand for colours.
    """
    from PIL import ImageOps

    try:
        upright = ImageOps.exif_transpose(image)
        if upright.mode in _DEEP_MODES:
            hint = "make it 8 bits a colour, such as image.convert('RGB')"
            raise InvalidImageError(f"has pixels of the mode {upright.mode!r}", hint)
        if upright.mode in _PNG_MODES:
            profile = profile_of(image)
        else:
            upright, profile = settled(upright)
        out = io.BytesIO()
        transparency = {key: upright.info[key] for key in ("transparency",) if key in upright.info}
        upright.info = {}  # comments and times, which Pillow would write
        upright.save(out, "PNG", icc_profile=profile, **transparency)
    except InvalidImageError:
        raise
    except Exception as error:  # Pillow raises many kinds for an image whose file is damaged or closed
        raise InvalidImageError("cannot be read", "open it again, or give the path of its file") from error
    return out.getvalue()
