"""Downloading pictures, finding the tunes that expire soon, and keeping them."""

from astria_nb.results.downloads._archive import PictureArchive, PictureOriginal
from astria_nb.results.downloads._download import download
from astria_nb.results.downloads._expiring import expiring
from astria_nb.results.downloads._keep_longer import keep_longer, price_text

__all__ = [
    "PictureArchive",
    "PictureOriginal",
    "download",
    "expiring",
    "keep_longer",
    "price_text",
]
