"""What code does about a problem, in words; the form has a control for each of them."""

from __future__ import annotations

from enum import StrEnum


class Remedy(StrEnum):
    """A part of a hint that names an argument; the form puts the name of its control in its place.

    Examples
    --------
    >>> f"make it smaller {Remedy.SMALLER}"
    'make it smaller with max_side=2048'
    """

    SMALLER = "with max_side=2048"
    NOT_SMALLER = "omit max_side"
    KEEP_METADATA = "with keep_metadata=True"
    KEEP_DAMAGED = "with keep_damaged=True"
    GIVE_THE_FILE = "give the file as images=[…]"
    GIVE_FILES_OR_URLS = "give files as images or addresses as image_urls"
    GIVE_FILES = "give files as images=[…]"
    GIVE_THEM = "give them as images"
    GIVE_THE_PHOTOS = "give the photos as images"
    AS_URLS = "as image_urls"
    AS_LIST_OF_URLS = "as image_urls=[…]"
    AS_URLS_INSTEAD = "as image_urls instead of images"
    AS_AN_ITEM = "as an item of its own"
    CHOOSE_JSON = "choose encoding='json'"
