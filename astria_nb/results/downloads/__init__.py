"""Downloads of pictures, and tunes that expire soon: finding and keeping them."""

from astria_nb.results.downloads._archive import PictureArchive, PictureOriginal, fetch_each
from astria_nb.results.downloads._auto_extend import is_kept
from astria_nb.results.downloads._download import download, remote_pictures
from astria_nb.results.downloads._entry import Entry, manifest_line, parse_line
from astria_nb.results.downloads._expiring import expiring
from astria_nb.results.downloads._fetcher import FetchResult, RemotePicture
from astria_nb.results.downloads._keep_longer import keep_longer, price_text
from astria_nb.results.downloads._manifest import NAME as MANIFEST

__all__ = [
    "MANIFEST",
    "Entry",
    "FetchResult",
    "PictureArchive",
    "PictureOriginal",
    "RemotePicture",
    "download",
    "expiring",
    "fetch_each",
    "is_kept",
    "keep_longer",
    "manifest_line",
    "parse_line",
    "price_text",
    "remote_pictures",
]
