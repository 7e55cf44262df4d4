"""Removal of metadata from image files, one module a format."""

from astria_nb.images.metadata._colour_profile import profile_of_tags, reduced_profile
from astria_nb.images.metadata._file_parts import (
    DamagedImageError,
    ImageReader,
    MalformedImageError,
    Part,
    entire_file,
)
from astria_nb.images.metadata._png import coding_points
from astria_nb.images.metadata._png_texts import without_texts
from astria_nb.images.metadata._removal import without_metadata

__all__ = [
    "DamagedImageError",
    "ImageReader",
    "MalformedImageError",
    "Part",
    "coding_points",
    "entire_file",
    "profile_of_tags",
    "reduced_profile",
    "without_metadata",
    "without_texts",
]
