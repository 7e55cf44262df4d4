"""Addresses that are others each time they are asked for, and have nothing in them that stays."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from astria_nb.errors import Problem

_SITES = {
    "Airtable": r"(.+\.)?airtableusercontent\.com/.*",
    "Dropbox": r"uc[\w-]*\.(dl|previews)\.dropboxusercontent\.com/.*",
    "OneDrive": r"(.+\.)?(1drv\.com|livefilestore\.com)/y4m.*",
    "Google Photos": r"lh\d\.googleusercontent\.com/(lr|ppa|pw)/.*",
}


def remark_on_passing(addresses: Sequence[str]) -> Problem | None:
    """Return the remark on a row whose title is made of such an address: read again, it is another row.

    Examples
    --------
    >>> remark_on_passing(["https://v5.airtableusercontent.com/v3/u/1/1/1767225600000/aa/bb"]).hint
    'give it a key or title'
    """
    places = [f"{parts.hostname}{parts.path}" for parts in map(urlsplit, addresses)]
    for site, pattern in _SITES.items():
        if any(re.fullmatch(pattern, place) for place in places):
            what = f"{site} gives another address each time, and the row would be sent again"
            return Problem("image_urls", what, "give it a key or title")
    return None
