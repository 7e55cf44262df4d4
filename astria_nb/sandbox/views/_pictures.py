"""Pictures at URLs that end in 28 random characters, drawn when they are first requested."""

import hashlib
import hmac
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from astria_nb.sandbox.model import NEVER
from astria_nb.sandbox.views._address import Address
from astria_nb.sandbox.views._artist import cover, picture
from astria_nb.sandbox.views._clip import clip

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_CACHE_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Stored:
    """A file that was uploaded."""

    path: Path
    content_type: str


@dataclass(frozen=True)
class Drawn:
    """A picture that is drawn for a prompt."""

    training: tuple[Path, ...]
    text: str
    seed: int
    width: int
    height: int


@dataclass(frozen=True)
class Clip:
    """A video that shows a picture."""

    picture: Drawn


@dataclass(frozen=True)
class Cover:
    """The cover of a pack."""

    title: str
    classes: tuple[str, ...]
    seed: int


PictureSource: TypeAlias = Stored | Drawn | Clip | Cover


class Pictures:
    """Every picture whose URL was ever sent to a client.

    Parameters
    ----------
    address : Address
        The address of the service.
    secret : bytes
        Key from which the URLs are derived, so that they cannot be guessed.
    now : callable
        Returns the service's time, in milliseconds since 1970 (UTC).
    """

    def __init__(self, address: Address, secret: bytes, now: Callable[[], int]) -> None:
        self._address = address
        self._secret = secret
        self._now = now
        self._sources: dict[str, tuple[PictureSource, int]] = {}
        self._cache: OrderedDict[str, bytes] = OrderedDict()
        self._cached_bytes = 0
        self._lock = threading.Lock()

    def publish(
        self, name: str, source: PictureSource, until: int = NEVER, filename: str | None = None
    ) -> str:
        """Return the URL of a picture, which is available until it expires; `name` must be unique.

        With a filename, the URL ends in it and redirects to the picture.
        """
        token = self._token(name)
        self._sources[token] = source, until
        if filename is not None:
            return f"{self._address.url}/rails/active_storage/blobs/redirect/{token}/{filename}"
        return f"{self._address.url}/pictures/{token}"

    def fetch(self, token: str) -> tuple[bytes | Path, str] | None:
        """Return a picture, as bytes or as a file, and its Content-Type; None if there is no such picture."""
        source, until = self._sources.get(token, (None, 0))
        if source is None or until <= self._now():
            return None
        if isinstance(source, Stored):
            return source.path, source.content_type
        content_type = "video/mp4" if isinstance(source, Clip) else "image/jpeg"
        with self._lock:
            if token in self._cache:
                self._cache.move_to_end(token)
                return self._cache[token], content_type
        data = _draw(source)
        self._add_to_cache(token, data)
        return data, content_type

    def _add_to_cache(self, token: str, data: bytes) -> None:
        with self._lock:
            self._cached_bytes += len(data) - len(self._cache.pop(token, b""))
            self._cache[token] = data
            while self._cached_bytes > _CACHE_BYTES:
                _, oldest = self._cache.popitem(last=False)
                self._cached_bytes -= len(oldest)

    def _token(self, name: str) -> str:
        number = int.from_bytes(hmac.digest(self._secret, name.encode(), hashlib.sha256))
        digits = []
        for _ in range(28):
            number, digit = divmod(number, 36)
            digits.append(_ALPHABET[digit])
        return "".join(digits)


def _draw(source: Drawn | Clip | Cover) -> bytes:
    if isinstance(source, Clip):
        still = source.picture
        return clip(_draw(still), still.width, still.height)
    if isinstance(source, Cover):
        return _cover(source)
    return picture(
        source.training, text=source.text, seed=source.seed, width=source.width, height=source.height
    )


@lru_cache(maxsize=32)  # every sandbox of a process has the same packs
def _cover(source: Cover) -> bytes:
    return cover(source.title, source.classes, source.seed)
