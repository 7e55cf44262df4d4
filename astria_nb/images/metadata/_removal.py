"""Removal of metadata from image files: location, time, camera, names, texts, embedded images.

Nothing is decoded: the image data is sent byte for byte as it is in the file.
"""

from __future__ import annotations

from io import FileIO

from astria_nb.images.media_type import HEAD_BYTES, media_type
from astria_nb.images.metadata import _jpeg as jpeg
from astria_nb.images.metadata import _png as png
from astria_nb.images.metadata import _webp as webp
from astria_nb.images.metadata._file_parts import ImageReader, MalformedImageError, Part, merge_parts

_FORMATS = {
    "image/jpeg": jpeg.parts_to_keep,
    "image/png": png.parts_to_keep,
    "image/webp": webp.parts_to_keep,
}


def without_metadata(file: FileIO, *, verifies_data: bool = True) -> list[Part]:
    """Return the parts of a JPEG, PNG or WebP file to send, without personal data.

    Only parts that are known to belong to the image are kept: its data, colour profile, resolution,
    transparency and orientation. Anything after the end of the image is dropped, too: a second image, a
    video, a trailer.

    Parameters
    ----------
    file : FileIO
        Open for reading and unbuffered; it is left open. A JPEG is read once to its end. The chunks of a PNG
        are read to verify their checksums, and little more than the chunk headers of a WebP.
    verifies_data : bool
        Whether the pixels of a PNG are decompressed to find their end: data after it is removed.

    Returns
    -------
    list of (range or bytes)
        Byte ranges of the file, and bytes to insert between them, in order. The sum of their lengths is the
        number of bytes to send.

    Raises
    ------
    MalformedImageError
        The file does not follow its format, so metadata could be anywhere in it.
    DamagedImageError
        The pixels of a PNG are not complete.
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
    reader = ImageReader(file)
    parts_to_keep = _FORMATS.get(media_type(reader.read(0, HEAD_BYTES)) or "")
    if parts_to_keep is None:
        raise MalformedImageError("is no longer a JPEG, PNG or WebP image")
    return merge_parts(parts_to_keep(reader, verifies_data=verifies_data))
