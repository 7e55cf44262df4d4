"""A widget with the pictures of tunes."""

from astria_nb.results.gallery._gallery import gallery
from astria_nb.results.gallery._widget import Gallery

__all__ = [
    "Gallery",
    "gallery",
]
