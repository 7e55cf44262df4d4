"""One training image: checking, measuring, removing metadata, preparing for upload."""

from astria_nb.images._advice import ImageMetrics, Kind, compare, measure
from astria_nb.images._decoding import MEDIA_TYPES, open_image
from astria_nb.images._folder import SUFFIXES, is_hidden, pictures_in
from astria_nb.images._image import Image, small_thumbnail, thumbnail
from astria_nb.images._preprocessing import UNCHANGED, Preprocessing
from astria_nb.images._upload import BLOCK, SentImage, filename_for_type, open_all, sha256_of
from astria_nb.images._upload_sizes import upload_size

__all__ = [
    "BLOCK",
    "MEDIA_TYPES",
    "SUFFIXES",
    "UNCHANGED",
    "Image",
    "ImageMetrics",
    "Kind",
    "Preprocessing",
    "SentImage",
    "compare",
    "filename_for_type",
    "is_hidden",
    "measure",
    "open_all",
    "open_image",
    "pictures_in",
    "sha256_of",
    "small_thumbnail",
    "thumbnail",
    "upload_size",
]
