"""A widget with the pictures of tunes."""

from astria_nb.results.gallery._gallery import gallery as gallery
from astria_nb.results.gallery.widget import Gallery as Gallery

__all__ = ["Gallery", "gallery"]
