"""The pictures of tunes, seen as they come."""

from astria_nb.pictures.showing import gallery as gallery
from astria_nb.pictures.view import Gallery as Gallery

__all__ = ["Gallery", "gallery"]
