"""A picture's file without what it tells of its owner: place, time, camera, names, words, hidden pictures.

Nothing is decoded: the picture itself stays byte for byte what it was.
"""

from __future__ import annotations

from io import FileIO

from astria_nb.images.metadata import jpeg, png, webp
from astria_nb.images.metadata.pieces import Piece, Source, UncertainError, joined, whole

__all__ = ["Piece", "Source", "UncertainError", "whole", "without_metadata"]


def without_metadata(file: FileIO) -> list[Piece]:
    """Return what to send of a JPEG, PNG or WebP file so that nothing personal goes along.

    Only what is known to belong to the picture stays: its data, colour profile, resolution, transparency, and
    the way it is turned. What comes after the picture's end goes too: a second picture, a video, a trailer.

    Parameters
    ----------
    file : FileIO
        Open for reading; it is left open. A JPEG is read once to its end, of the others little but headers
        (and a PNG's checksums are compared).

    Returns
    -------
    list of (range or bytes)
        Stretches of the file, and bytes to put between them, in order. Their lengths add up to what is sent.

    Raises
    ------
    UncertainError
        The file is not what it should be, so nobody can be sure what is in it.
    OSError
        It cannot be read.

    Examples
    --------
    >>> import tempfile; from PIL import Image
    >>> file = tempfile.TemporaryFile(buffering=0)
    >>> Image.new("RGB", (8, 8)).save(file, "JPEG", comment=b"my house")
    >>> with_comment = file.tell()
    >>> with_comment - sum(map(len, without_metadata(file)))
    12
    >>> file.close()
    """
    source = Source(file)
    head = source.some(0, 12)
    if head.startswith(b"\xff\xd8"):
        pieces = jpeg.kept(source)
    elif head.startswith(png.SIGNATURE):
        pieces = png.kept(source)
    elif head.startswith(b"RIFF") and head[8:] == b"WEBP":
        pieces = webp.kept(source)
    else:
        raise UncertainError("is no longer a JPEG, PNG or WebP image")
    return joined(pieces)
