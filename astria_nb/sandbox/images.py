"""Whether an upload is an image to train with."""

from PIL import Image

from .uploads import Upload

_MAX_PIXELS = 89_478_485  # Pillow's own mark of a decompression bomb


def image_fault(upload: Upload) -> str | None:
    """Say why a file is no image to train with; None when it is one."""
    if not upload.content_type.startswith("image/"):
        return f"{upload.filename} is not a JPEG, PNG or WebP image"
    try:
        with Image.open(upload.path, formats=("JPEG", "PNG", "WEBP")) as image:
            pixels = image.width * image.height
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        pixels = _MAX_PIXELS + 1
    except (OSError, ValueError, SyntaxError):  # Pillow's plugins raise all three on broken headers
        return f"{upload.filename} cannot be opened as an image"
    return f"{upload.filename} has too many pixels" if pixels > _MAX_PIXELS else None
