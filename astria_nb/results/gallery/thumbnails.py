"""Pictures as they are sent to the browser: small copies once they are in view, and a large one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, wait

from astria_nb.client.client import Client
from astria_nb.errors import AstriaError
from astria_nb.images.decoding import MEDIA_TYPES, open_image
from astria_nb.images.image import small_thumbnail, thumbnail
from astria_nb.results.gallery.cards import Picture
from astria_nb.utils import background

_KEPT = 500  # small copies, 30 KB each, should the page be opened again
_LARGE, _SIDE = 8 * 2**20, 2048  # bytes that a page is sent at once, and pixels of a picture that has more


class Copies:
    """Fetches pictures, a few at a time, and never on the thread that asks for them.

    Parameters
    ----------
    client : Client
    made : callable
        Called with the picture's id and its small copy, or None where it cannot be had.
    """

    def __init__(self, client: Client, made: Callable[[str, bytes | None], None]) -> None:
        self._client, self._made = client, made
        self._lock = threading.Lock()
        self._kept: dict[str, bytes] = {}
        self._wanted: dict[str, Picture] = {}
        self._underway: set[str] = set()

    def ask(self, pictures: Sequence[Picture]) -> None:
        """Have small copies made, those of the last call first: they are what is looked at."""
        for picture in pictures:
            with self._lock:
                name, copy = picture["id"], self._kept.get(picture["id"])
                if copy is None and name not in self._underway:
                    self._wanted.pop(name, None)
                    self._wanted[name] = picture
                    background.start_fetch(self._next)
            if copy is not None:
                self._made(name, copy)

    def some(self, pictures: Sequence[Picture], patience: float) -> dict[str, bytes]:
        """Return the small copies of pictures, but for those of which none comes for so many seconds."""
        missing = [each for each in pictures if each["id"] not in self._kept]
        left = {background.start_fetch(self._make, each) for each in missing}
        while left:
            done, left = wait(left, timeout=patience, return_when=FIRST_COMPLETED)
            if not done:
                break
        for each in left:
            each.cancel()
        with self._lock:
            return {each["id"]: self._kept[each["id"]] for each in pictures if each["id"] in self._kept}

    def large(self, picture: Picture) -> tuple[bytes, str]:
        """Return a picture as it is, or smaller where it is too heavy for a page, and its media type.

        Raises
        ------
        AstriaError, OSError
            It cannot be fetched, or is none.
        """
        data = self._client.picture(picture["url"])
        with open_image(data) as image:
            media_type = MEDIA_TYPES[image.format or ""]
        if len(data) <= _LARGE and media_type != "image/heic":  # which few browsers show
            return data, media_type
        return thumbnail(data, _SIDE), "image/jpeg"

    def _next(self) -> None:
        with self._lock:
            if not self._wanted:
                return
            name, picture = self._wanted.popitem()
            self._underway.add(name)
        copy = None
        try:
            copy = self._make(picture)
        finally:
            with self._lock:
                self._underway.discard(name)
            self._made(name, copy)

    def _make(self, picture: Picture) -> bytes | None:
        try:
            copy = small_thumbnail(self._client.picture(picture["url"]))
        except (AstriaError, OSError):
            return None  # its address is shown instead
        with self._lock:
            self._kept[picture["id"]] = copy
            while len(self._kept) > _KEPT:
                del self._kept[next(iter(self._kept))]
        return copy
