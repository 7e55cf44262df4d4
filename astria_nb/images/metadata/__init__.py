"""Removal of metadata from image files, one module per format."""

from astria_nb.images.metadata import _standard_profiles as standard_profiles
from astria_nb.images.metadata._colour_profile import MAX_BYTES as MAX_PROFILE
from astria_nb.images.metadata._colour_profile import reduced_profile
from astria_nb.images.metadata._file_parts import (
    DamagedImageError,
    ImageReader,
    MalformedImageError,
    Part,
    entire_file,
    size_of_bytes,
)
from astria_nb.images.metadata._jpeg_frame import JpegFrame, read_frame
from astria_nb.images.metadata._orientation import read as read_orientation
from astria_nb.images.metadata._png import coding_points
from astria_nb.images.metadata._png_texts import of_raw_profile, without_texts
from astria_nb.images.metadata._removal import without_metadata

__all__ = [
    "MAX_PROFILE",
    "DamagedImageError",
    "ImageReader",
    "JpegFrame",
    "MalformedImageError",
    "Part",
    "coding_points",
    "entire_file",
    "of_raw_profile",
    "read_frame",
    "read_orientation",
    "reduced_profile",
    "size_of_bytes",
    "standard_profiles",
    "without_metadata",
    "without_texts",
]
