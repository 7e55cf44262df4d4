"""Downloading pictures, and finding the tunes that expire soon."""

from astria_nb.results.downloads._download import download as download
from astria_nb.results.downloads._expiring import expiring as expiring
