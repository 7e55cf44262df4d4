"""One training image: checking, measuring, removing metadata, preparing for upload."""

from astria_nb.images._addresses import images_at, is_address, is_many
from astria_nb.images._advice import ImageMetrics, Kind, compare, measure
from astria_nb.images._captions import captions_beside, is_caption_name, stem_of
from astria_nb.images._content import ImageContent, content_sha256, file_of, is_content, is_volatile
from astria_nb.images._decoding import MEDIA_TYPES, InvalidImageError, open_image
from astria_nb.images._deferred import DeferredImage
from astria_nb.images._file_kinds import RE_ENCODED, readable_types, refusal
from astria_nb.images._folder import SUFFIXES, is_hidden, natural_order, pictures_in
from astria_nb.images._hashed_content import BLOCK, under_way
from astria_nb.images._image import Image, small_thumbnail, thumbnail
from astria_nb.images._left_out import left_out
from astria_nb.images._only_smaller import all_only_smaller
from astria_nb.images._preprocessing import PREPROCESSING_NAMES, UNCHANGED, Preprocessing
from astria_nb.images._sent_names import own_names_of, sent_names
from astria_nb.images._types import Images, ImageSource
from astria_nb.images._upload import (
    SentImage,
    filename_for_type,
    open_all,
    sha256_of,
    sha256_of_all,
)
from astria_nb.images._upload_sizes import upload_size

__all__ = [
    "BLOCK",
    "MEDIA_TYPES",
    "PREPROCESSING_NAMES",
    "RE_ENCODED",
    "SUFFIXES",
    "UNCHANGED",
    "DeferredImage",
    "Image",
    "ImageContent",
    "ImageMetrics",
    "ImageSource",
    "Images",
    "InvalidImageError",
    "Kind",
    "Preprocessing",
    "SentImage",
    "all_only_smaller",
    "captions_beside",
    "compare",
    "content_sha256",
    "file_of",
    "filename_for_type",
    "images_at",
    "is_address",
    "is_caption_name",
    "is_content",
    "is_hidden",
    "is_many",
    "is_volatile",
    "left_out",
    "measure",
    "natural_order",
    "open_all",
    "open_image",
    "own_names_of",
    "pictures_in",
    "readable_types",
    "refusal",
    "sent_names",
    "sha256_of",
    "sha256_of_all",
    "small_thumbnail",
    "stem_of",
    "thumbnail",
    "under_way",
    "upload_size",
]
