"""What kind of file cannot be sent as a photo, by its first bytes; and which photos can be read here."""

from __future__ import annotations

import re
from importlib.util import find_spec

from astria_nb.images.media_type import media_type
from astria_nb.images.metadata import JpegFrame

RE_ENCODED = {"image/heic": "HEIC", "image/avif": "AVIF"}
"""Types that are converted before sending, because their metadata cannot be removed without loss."""
_ALWAYS_READABLE = ("image/jpeg", "image/png", "image/webp")
_MODULES = {"image/heic": "pillow_heif", "image/avif": "PIL._avif"}
_INSTALLS = {"image/heic": "astria-nb[heic]", "image/avif": "pillow>=11.3"}
_WEB_PAGE = re.compile(rb"\s*<(?:!doctype html|html)", re.IGNORECASE)
_OTHERS = (
    (re.compile(rb"GIF8"), "a GIF image"),
    (re.compile(rb"II\*\0|MM\0\*|II\+\0|MM\0\+"), "a TIFF image or a camera's raw file"),
    (re.compile(rb"....ftypcrx ", re.DOTALL), "a camera's raw file"),
    (re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL), "a BMP image"),
    (re.compile(rb"\xff\x0a|\0\0\0\x0cJXL "), "a JPEG XL image"),
    (re.compile(rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  "), "a JPEG 2000 image"),
    (re.compile(rb"8BPS"), "a Photoshop file"),
    (re.compile(rb"%PDF"), "a PDF"),
)


def readable_types() -> list[str]:
    """Return the media types of photos that can be read here.

    Examples
    --------
    >>> set(readable_types()) >= {"image/jpeg", "image/png", "image/webp"}
    True
    """
    return [*_ALWAYS_READABLE, *(name for name in RE_ENCODED if is_readable(name))]


def is_readable(name: str) -> bool:
    """Return whether photos of a media type can be read here."""
    return name in _ALWAYS_READABLE or (name in _MODULES and find_spec(_MODULES[name]) is not None)


def refusal_of_frame(frame: JpegFrame) -> tuple[str, str] | None:
    """Return what is wrong with a JPEG with this frame, and what to do; None if it is ordinary.

    Parameters
    ----------
    frame : JpegFrame

    Examples
    --------
    >>> refusal_of_frame(JpegFrame(0xC1, 12, 480, 640))
    ('is a 12-bit JPEG, which few programs read', 'save it as an ordinary JPEG of 8 bits, or remove it')
    """
    if (kind := frame.unusual_kind) is None:
        return None
    return f"is {kind}, which few programs read", "save it as an ordinary JPEG of 8 bits, or remove it"


def refusal(head: bytes, last_resort: str = "remove it") -> tuple[str, str]:
    r"""Return what is wrong with a file that cannot be read as a photo, and what to do about it.

    Parameters
    ----------
    head : bytes
        The first bytes of the file; a few hundred are enough.
    last_resort : str
        What to do if the file cannot be converted.

    Examples
    --------
    >>> refusal(b"II*\0")
    ("is a TIFF image or a camera's raw file", 'convert it to JPEG, or remove it')
    """
    convert = f"convert it to JPEG, or {last_resort}"
    if not head:
        return "is empty", f"copy it again, or {last_resort}"
    if _WEB_PAGE.match(head):
        return "is a web page, not an image", f"download the image itself, or {last_resort}"
    if head.startswith(b"version https://git-lfs"):
        return "only stands for an image in Git LFS", f"run git lfs pull, or {last_resort}"
    for signature, name in _OTHERS:
        if signature.match(head):
            return f"is {name}", convert
    file_type = media_type(head) or ""
    if is_readable(file_type):  # only the beginning is that of a photo
        return "is a damaged image", convert
    if file_type.startswith("video/"):
        return "is a video, not an image", f"save a frame of it as JPEG, or {last_resort}"
    if file_type in RE_ENCODED:
        hint = f"pip install '{_INSTALLS[file_type]}', or convert it to JPEG"
        return f"is {RE_ENCODED[file_type]}, which cannot be read here", hint
    return "is not a JPEG, PNG or WebP image", convert
