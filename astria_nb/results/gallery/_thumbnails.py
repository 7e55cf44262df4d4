"""Loading pictures for the browser: thumbnails of those in view, and one at full size."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, wait

from astria_nb.client import Client
from astria_nb.errors import AstriaError
from astria_nb.images import MEDIA_TYPES, open_image, small_thumbnail, thumbnail
from astria_nb.results.gallery._contents import PromptPicture
from astria_nb.utils import background

_CACHE_SIZE = 500  # thumbnails of at most 30 KB, for when the page is loaded again
_MAX_BYTES, _SIDE = 8 * 2**20, 2048  # larger pictures are reduced to this many pixels a side


class ThumbnailLoader:
    """Fetches pictures on a few threads and makes thumbnails of them.

    Parameters
    ----------
    client : Client
    on_loaded : callable
        Called with the id of a picture and its thumbnail (a JPEG file), or None if there is no picture.
    """

    def __init__(self, client: Client, on_loaded: Callable[[str, bytes | None], None]) -> None:
        self._client, self._on_loaded = client, on_loaded
        self._lock = threading.Lock()
        self._cache: dict[str, bytes] = {}
        self._requested: dict[str, PromptPicture] = {}
        self._in_progress: set[str] = set()

    def request(self, pictures: Sequence[PromptPicture]) -> None:
        """Load thumbnails in the background. The latest request comes first: its pictures are in view.

        Parameters
        ----------
        pictures : sequence of PromptPicture
        """
        for picture in pictures:
            with self._lock:
                name, data = picture["id"], self._cache.get(picture["id"])
                if data is None and name not in self._in_progress:
                    self._requested.pop(name, None)
                    self._requested[name] = picture
                    background.start_fetch(self._load_next)
            if data is not None:
                self._on_loaded(name, data)

    def load(self, pictures: Sequence[PromptPicture], patience: float) -> dict[str, bytes]:
        """Return thumbnails by the ids of their pictures; gives up when none arrives for a while.

        Parameters
        ----------
        pictures : sequence of PromptPicture
        patience : float
            Seconds without a new thumbnail after which missing ones are omitted.
        """
        missing = [picture for picture in pictures if picture["id"] not in self._cache]
        futures = {background.start_fetch(self._load, picture) for picture in missing}
        while futures:
            done, futures = wait(futures, timeout=patience, return_when=FIRST_COMPLETED)
            if not done:
                break
        for future in futures:
            future.cancel()
        with self._lock:
            ids = [picture["id"] for picture in pictures]
            return {name: self._cache[name] for name in ids if name in self._cache}

    def load_large(self, picture: PromptPicture) -> tuple[bytes, str]:
        """Return the file of a picture and its media type, reduced if it is too large for a page.

        Parameters
        ----------
        picture : PromptPicture

        Raises
        ------
        AstriaError, OSError
            It cannot be fetched, or is not a picture.
        """
        data = self._client.picture(picture["url"])
        with open_image(data) as image:
            media_type = MEDIA_TYPES[image.format or ""]
        if len(data) <= _MAX_BYTES and media_type != "image/heic":  # few browsers show HEIC
            return data, media_type
        return thumbnail(data, _SIDE), "image/jpeg"

    def _load_next(self) -> None:
        with self._lock:
            if not self._requested:
                return
            name, picture = self._requested.popitem()
            self._in_progress.add(name)
        data = None
        try:
            data = self._load(picture)
        finally:
            with self._lock:
                self._in_progress.discard(name)
            self._on_loaded(name, data)

    def _load(self, picture: PromptPicture) -> bytes | None:
        try:
            data = small_thumbnail(self._client.picture(picture["url"]))
        except (AstriaError, OSError):
            return None  # the page shows its address instead
        with self._lock:
            self._cache[picture["id"]] = data
            while len(self._cache) > _CACHE_SIZE:
                del self._cache[next(iter(self._cache))]
        return data
