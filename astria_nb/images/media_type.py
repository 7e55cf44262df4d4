"""The type of a picture or video, by the first bytes of its file."""

from __future__ import annotations

HEAD_BYTES = 32
"""How many bytes of a file `media_type` needs."""
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

_SIGNATURES = {
    b"\xff\xd8\xff": "image/jpeg",
    PNG_SIGNATURE: "image/png",
    b"GIF8": "image/gif",
    b"\x1a\x45\xdf\xa3": "video/webm",
}
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx")
_EITHER_BRANDS = (b"mif1", b"msf1")  # further brands say which
_AVIF_BRANDS = (b"avif", b"avis")


def media_type(head: bytes) -> str | None:
    r"""Return the media type of a file, regardless of its name or content type.

    Parameters
    ----------
    head : bytes
        The first `HEAD_BYTES` of the file; a JPEG needs 3, a PNG 8, and all others 12.

    Returns
    -------
    str or None
        One of JPEG, PNG, WebP, GIF, HEIC, AVIF, WebM and, for every other brand of the ISO base media format,
        ``video/mp4``. None for anything else.

    Examples
    --------
    >>> media_type(b"GIF89a"), media_type(b"\0\0\0\x18ftypheic"), media_type(b"<!doctype html>")
    ('image/gif', 'image/heic', None)
    """
    for signature, signed_type in _SIGNATURES.items():
        if head.startswith(signature):
            return signed_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] != b"ftyp":
        return None
    brand = head[8:12]
    if brand in _EITHER_BRANDS:
        return "image/avif" if any(name in head[16:] for name in _AVIF_BRANDS) else "image/heic"
    if brand in _HEIC_BRANDS:
        return "image/heic"
    return "image/avif" if brand in _AVIF_BRANDS else "video/mp4"
