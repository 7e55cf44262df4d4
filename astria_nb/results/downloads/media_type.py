"""What a picture's file is called at its end, by its content type or else by its first bytes."""

from __future__ import annotations

from astria_nb.images.media_type import HEAD_BYTES, media_type

HEAD = HEAD_BYTES
"""Bytes that tell the type of a file."""

_BY_CONTENT_TYPE = {
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
SUFFIXES = tuple(sorted(set(_BY_CONTENT_TYPE.values())))


def suffix(content_type: str, head: bytes) -> str | None:
    """Return ``".jpg"`` or its like; None for what is no picture, whatever its content type says.

    Parameters
    ----------
    content_type : str
        Without parameters.
    head : bytes
        The first `HEAD` bytes.

    Examples
    --------
    >>> suffix("binary/octet-stream", b"GIF89a"), suffix("image/jpeg", b"<!doctype html>")
    ('.gif', None)
    """
    by_bytes = _by_bytes(head)
    return by_bytes and _BY_CONTENT_TYPE.get(content_type, by_bytes)


def is_cut_off(head: bytes, tail: bytes, size: int) -> bool:
    """Tell whether a picture lacks its end, where its type has one; for answers that do not say their length.

    Parameters
    ----------
    head, tail : bytes
        The first and the last bytes.
    size : int
        Of all of it.
    """
    found = _by_bytes(head)
    if found == ".jpg":
        return b"\xff\xd9" not in tail
    if found == ".png":
        return b"IEND" not in tail
    if found == ".webp":
        return size < int.from_bytes(head[4:8], "little") + 8
    return False


def _by_bytes(head: bytes) -> str | None:
    return _BY_CONTENT_TYPE.get(media_type(head) or "")
