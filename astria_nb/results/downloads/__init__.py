"""Downloading pictures, and finding the tunes that expire soon."""

from astria_nb.results.downloads._archive import PictureArchive, PictureOriginal
from astria_nb.results.downloads._download import download
from astria_nb.results.downloads._expiring import expiring

__all__ = [
    "PictureArchive",
    "PictureOriginal",
    "download",
    "expiring",
]
