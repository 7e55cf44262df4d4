"""Downloading pictures, and finding the tunes that expire soon."""

from astria_nb.results.downloads._download import download
from astria_nb.results.downloads._expiring import expiring

__all__ = [
    "download",
    "expiring",
]
