"""JPEG files without metadata (ITU T.81; JFIF; Exif; the APPn segments of Adobe and ICC)."""

from __future__ import annotations

import re
from collections.abc import Callable

from astria_nb.images.metadata import _orientation as orientation
from astria_nb.images.metadata import _standard_profiles as standard_profiles
from astria_nb.images.metadata._colour_profile import reduced_profile
from astria_nb.images.metadata._file_parts import ImageReader, MalformedImageError, Part
from astria_nb.images.metadata._jpeg_frame import FRAMES
from astria_nb.images.metadata._jpeg_segments import APP0, JFIF, cleaned_segment, segment
from astria_nb.images.metadata._jpeg_tables import DHT, DQT, JpegTables

_RGB = 3  # components, also of YCbCr
_EOI, _SOS, _COM, _APP1, _APP2 = 0xD9, 0xDA, 0xFE, 0xE1, 0xE2
_METADATA_MARKERS = {*range(APP0, 0xF0), _COM}
_EXIF = b"Exif\0\0"
_XMP, _ICC = b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0"
_MARKER = re.compile(rb"\xff[\x01-\xfe]")
_WITHOUT_LENGTH = {1, *range(0xD0, _EOI)}  # not allowed between segments
_SEGMENT_START = re.compile(rb"\xff[\xc0-\xfe](?=..)", re.DOTALL)
_MOST_BYTES = 65533  # bytes of a segment's content
_HEAD = 32  # bytes that identify a segment
_STRAY = 256  # bytes that are searched for a marker at once
_VIDEO = b"ftyp"  # begins the MP4 file after the image of a motion photo
_BLOCK = 2**17  # measured: larger ones make the system clear memory for each file, which takes longer


def parts_to_keep(reader: ImageReader, *, verifies_data: bool) -> list[Part]:  # noqa: ARG001  a PNG's
    """Return the parts of a JPEG that make up the image."""
    parts: list[Part] = [range(2)]  # SOI
    metadata, tables = _Metadata(), JpegTables()
    offset, has_frame, has_scan = 2, False, False
    while True:
        offset, marker = _find_marker(reader, offset)
        if marker == _EOI:
            break
        end = _end_of_segment(reader, offset)
        content = range(offset + 4, end)
        is_second = has_frame and marker in FRAMES  # from a thumbnail, after a segment that was too short
        if marker in _METADATA_MARKERS:
            head = reader.read(content.start, min(len(content), _HEAD))
            metadata.collect(reader, marker, content, index=len(parts))
            parts.append(cleaned_segment(marker, head, range(offset, end)))
        elif is_second or not _is_valid(marker, data := reader.read(content.start, len(content))):
            raise MalformedImageError("is damaged")
        else:
            has_frame = has_frame or marker in FRAMES
            _note_tables(tables, marker, data, index=len(parts))
            parts.append(range(offset, end))
        offset = end
        if marker == _SOS:
            has_scan = True
            offset = _end_of_scan(reader, end)
            parts.append(range(end, offset))
            if offset == reader.size:  # ends within the image data: decoders show what is there
                if _VIDEO in reader.read(end, offset - end):  # and take it for image data
                    raise MalformedImageError("is incomplete")
                break
    if not has_scan:
        raise MalformedImageError("contains no image data")
    parts.append(range(offset, min(offset + 2, reader.size)))  # EOI
    tables.put_into(parts)
    metadata.put_into(parts, tables.components)
    return parts


def _note_tables(tables: JpegTables, marker: int, data: bytes, *, index: int) -> None:
    if marker in (DQT, DHT):
        tables.add(marker, data, index)
    elif marker in FRAMES:
        tables.add_frame(data)
    elif marker == _SOS:
        tables.add_scan(data)


class _Metadata:
    """The metadata that is partly kept: orientation and colour profile."""

    def __init__(self) -> None:
        self._exif = self._xmp = b""
        self._profile: dict[int, bytes] = {}  # the content of each segment, by the index of its part
        self._has_jfif = False

    def collect(self, reader: ImageReader, marker: int, place: range, *, index: int) -> None:
        """Read the metadata of the segment whose part has this index."""
        head = reader.read(place.start, min(len(place), _HEAD))
        if marker == _APP1 and head.startswith(_EXIF) and not self._exif:
            self._exif = reader.read(place.start, len(place)).removeprefix(_EXIF)
        elif marker == _APP1 and head.startswith(_XMP) and not self._xmp:
            self._xmp = reader.read(place.start, len(place))
        elif marker == _APP2 and head.startswith(_ICC):
            self._profile[index] = reader.read(place.start, len(place))
        self._has_jfif = self._has_jfif or (index == 1 and head.startswith(JFIF))

    def put_into(self, parts: list[Part], components: int) -> None:
        """Insert the kept metadata into the parts of an image with this number of components."""
        profile = _profile_of_segments([*self._profile.values()])
        if self._profile:
            parts[next(iter(self._profile))] = _profile_segments(profile)
        if not profile and components == _RGB and standard_profiles.is_adobe_rgb(self._exif):
            parts.insert(1 + self._has_jfif, _profile_segments(standard_profiles.adobe_rgb()))
        value = orientation.read(self._exif, self._xmp)
        if value != 1:  # JFIF has to be the first segment
            exif = segment(_APP1, _EXIF + orientation.tiff(value))
            parts.insert(1 + self._has_jfif, exif)


def _find_marker(reader: ImageReader, offset: int) -> tuple[int, int]:
    """Return the offset of the next marker, and its second byte.

    Fill bytes (0xFF) may precede it, and stray bytes that some cameras write and decoders skip.
    """
    while len(head := reader.read(offset, _STRAY)) >= 2:
        if found := _MARKER.search(head):
            marker = found[0][1]
            if marker in _WITHOUT_LENGTH:
                raise MalformedImageError("is damaged")
            return offset + found.start(), marker
        offset += len(head) - 1
    raise MalformedImageError("is incomplete")


def _end_of_segment(reader: ImageReader, offset: int) -> int:
    end = offset + 2 + int.from_bytes(reader.read_exactly(offset + 2, 2))
    if end < offset + 4 or end > reader.size:
        raise MalformedImageError("is incomplete" if end > reader.size else "is damaged")
    return end


def _profile_of_segments(contents: list[bytes]) -> bytes:
    """Return the profile that the ICC segments contain; empty if they do not contain one."""
    head = len(_ICC) + 2
    numbered = {content[len(_ICC)]: content[head:] for content in contents if len(content) > head}
    is_complete = sorted(numbered) == [*range(1, len(contents) + 1)]
    has_counts = all(content[len(_ICC) + 1 : head] == bytes([len(contents) % 256]) for content in contents)
    if not is_complete or not has_counts or any(map(_ends_with_segment, contents)):
        return b""
    return reduced_profile(b"".join(content for _, content in sorted(numbered.items()))) or b""


def _profile_segments(profile: bytes) -> bytes:
    """Return the segments in which a profile is sent."""
    size = _MOST_BYTES - len(_ICC) - 2
    pieces = [profile[start : start + size] for start in range(0, len(profile), size)]
    return b"".join(
        segment(_APP2, _ICC + bytes((number, len(pieces))) + piece) for number, piece in enumerate(pieces, 1)
    )


def _ends_with_segment(content: bytes) -> bool:
    """Return whether it ends with another segment: bytes were lost, and the following data is included."""
    size = len(content)
    return any(
        place.end() + int.from_bytes(content[place.end() : place.end() + 2]) == size
        for place in _SEGMENT_START.finditer(content)
    )


def _end_of_scan(reader: ImageReader, offset: int) -> int:
    """Return the offset of the marker that ends entropy-coded data, or the size of the file."""
    import numpy as np  # imported here so that `astria_nb.client` stays fast

    block = bytearray(min(_BLOCK, reader.size - offset))
    found = bytearray(len(block))
    values, is_marker = np.frombuffer(block, np.uint8), np.frombuffer(found, bool)
    # In entropy-coded data every 0xFF is followed by a zero, so only the others are inspected one by one.
    while (count := reader.read_into(offset, memoryview(block)) - 1) > 0:
        markers = is_marker[:count]
        np.equal(values[:count], 0xFF, out=markers)
        np.minimum(markers.view(np.uint8), values[1 : count + 1], out=markers.view(np.uint8))
        if found.find(True, 0, count) >= 0:  # bytes are searched faster than an array
            places = np.flatnonzero(markers)
            codes = values[places + 1]
            # Neither a fill byte nor RSTn.
            ends = places[(codes != 0xFF) & ((codes < 0xD0) | (codes > 0xD7))]
            if len(ends):
                return offset + int(ends[0])
        offset += count
    return reader.size


def _is_valid(marker: int, content: bytes) -> bool:
    """Return whether a segment that decoders need has exactly the structure that its marker requires."""
    check = _CHECKS.get(marker, _is_frame_header if marker in FRAMES else None)
    return check is not None and check(content)


def _is_frame_header(content: bytes) -> bool:
    return len(content) > 5 and 1 <= content[5] <= 4 and len(content) == 6 + 3 * content[5]


def _is_scan_header(content: bytes) -> bool:
    return len(content) > 1 and 1 <= content[0] <= 4 and len(content) == 4 + 2 * content[0]


def _are_quantization_tables(content: bytes) -> bool:
    while content:
        if content[0] & 0xEF > 3:
            return False
        size = 129 if content[0] >> 4 else 65
        if len(content) < size:
            return False
        content = content[size:]
    return True


def _are_huffman_tables(content: bytes) -> bool:
    while content:
        size = 17 + sum(content[1:17])
        if content[0] & 0xEF > 3 or len(content) < size or size > 17 + 256:
            return False
        content = content[size:]
    return True


def _are_arithmetic_conditionings(content: bytes) -> bool:
    return len(content) <= 16 and len(content) % 2 == 0 and all(table & 0xEF <= 3 for table in content[::2])


_CHECKS: dict[int, Callable[[bytes], bool]] = {
    0xC4: _are_huffman_tables,  # DHT
    0xC8: lambda _: False,  # JPG: reserved, never used
    0xCC: _are_arithmetic_conditionings,  # DAC
    _SOS: _is_scan_header,
    0xDB: _are_quantization_tables,  # DQT
    0xDC: lambda content: len(content) == 2,  # DNL
    0xDD: lambda content: len(content) == 2,  # DRI
}
