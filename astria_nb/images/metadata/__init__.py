"""Removal of metadata from image files, one module a format."""

from astria_nb.images.metadata._colour_profile import reduced_profile
from astria_nb.images.metadata._file_parts import (
    DamagedImageError,
    ImageReader,
    MalformedImageError,
    Part,
    entire_file,
)
from astria_nb.images.metadata._removal import without_metadata

__all__ = [
    "DamagedImageError",
    "ImageReader",
    "MalformedImageError",
    "Part",
    "entire_file",
    "reduced_profile",
    "without_metadata",
]
