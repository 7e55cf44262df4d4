"""The file type of a picture, by its content type and its first bytes."""

from __future__ import annotations

from astria_nb.images import media_type as signatures

HEAD_BYTES = signatures.HEAD_BYTES
"""How many bytes of a file `suffix` and `is_truncated` need."""

_SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/jpg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/avif": ".avif",
    "image/heic": ".heic",
    "image/heif": ".heic",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
}
SUFFIXES = tuple(sorted(set(_SUFFIXES.values())))
"""All file suffixes of downloaded pictures."""


def suffix(content_type: str, head: bytes) -> str | None:
    """Return the suffix for a picture's file; None if its bytes are not those of a picture.

    Parameters
    ----------
    content_type : str
        Without parameters. If it is not known, the bytes decide.
    head : bytes
        The first `HEAD_BYTES`.

    Examples
    --------
    >>> suffix("binary/octet-stream", b"GIF89a"), suffix("image/jpeg", b"<!doctype html>")
    ('.gif', None)
    """
    by_bytes = _SUFFIXES.get(signatures.media_type(head) or "")
    return by_bytes and _SUFFIXES.get(content_type, by_bytes)


def is_truncated(head: bytes, tail: bytes, size: int) -> bool:
    """Return whether a JPEG, PNG or WebP lacks its end, for responses without a length.

    Parameters
    ----------
    head, tail : bytes
        The first `HEAD_BYTES` and the last 64 KiB of the file, or all of it if it is shorter.
    size : int
        The size of the file in bytes.
    """
    match signatures.media_type(head):
        case "image/jpeg":
            return b"\xff\xd9" not in tail
        case "image/png":
            return b"IEND" not in tail
        case "image/webp":
            return size < int.from_bytes(head[4:8], "little") + 8
    return False
