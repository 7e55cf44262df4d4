"""Fetching pictures into a folder: each whole or not at all, again where that can help, at a common pace."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from astria_nb.client import responses, retry
from astria_nb.client.client import Client
from astria_nb.client.picture_stream import PictureStream
from astria_nb.client.throttle import Throttle
from astria_nb.errors import (
    ApiError,
    AstriaError,
    NotSentError,
    Problem,
    UnexpectedReplyError,
)
from astria_nb.results.downloads import media_type
from astria_nb.results.downloads.manifest import Entry, Key
from astria_nb.results.downloads.safe_folder import SafeFolder, Temporary, plainly
from astria_nb.utils.formatting import format_duration, short

_SECONDS = 240.0  # for a picture with all its attempts, of which each has half
_LONGEST = 600.0  # to be asked to wait longer ends the download; call it again
_UNTOLD = 1.0  # seconds to wait where a refusal names none
_TURNS = 5
_TAIL = 2**16


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture to have.

    Attributes
    ----------
    prompt_id, number : int
    tune_id : int or None
    text : str
    url : str
        As the service tells it: may be signed, and is never written down.
    address : str
        The same without what is secret or changes from day to day.
    expires_at : datetime or None
    """

    prompt_id: int
    number: int
    tune_id: int | None
    text: str
    url: str
    address: str
    expires_at: datetime | None = None

    @property
    def key(self) -> Key:
        """What tells it from the others."""
        return self.prompt_id, self.number


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of it: a finished file that has no name yet, or a problem."""

    wanted: Wanted
    entry: Entry | None = None
    made: Temporary | None = None
    problem: str | None = None


class Fetcher:
    """Fetches pictures, from several threads.

    Parameters
    ----------
    client : Client
    folder : SafeFolder
    stop : threading.Event
        Ends every wait.
    """

    def __init__(self, client: Client, folder: SafeFolder, stop: threading.Event) -> None:
        self._client, self._folder, self._stop = client, folder, stop
        self._throttle = Throttle()  # of the pictures' own hosts
        self._asked_to_wait = 0.0
        self._streams: set[PictureStream] = set()
        self.bytes = 0

    def fetch(self, wanted: Wanted) -> Fetched:
        """Fetch one.

        Raises
        ------
        AstriaError
            The folder cannot be written.
        """
        error: AstriaError
        for _ in range(_TURNS):
            if self._asked_to_wait > _LONGEST:
                wait = format_duration(self._asked_to_wait)
                return Fetched(wanted, problem=f"its host asks to wait {wait}; call it again then")
            self._throttle.wait(self._stop)  # without a deadline: what others were told may take minutes
            try:
                return retry.call_with_retries(
                    lambda: self._attempt(wanted), seconds=_SECONDS, name="a picture", now=self._client.now
                )
            except AstriaError as caught:
                error = caught
            if any(each.field == "folder" for each in error.problems):
                raise error
            if self._stop.is_set() or self._throttle.remaining() <= 0:
                break
        return Fetched(wanted, problem="; ".join(f"{each.what}; {each.hint}" for each in error.problems))

    def held(self) -> float:
        """Return the seconds that the service asked to wait from here on."""
        return self._throttle.remaining()

    def cancel(self) -> None:
        """Stop, and end every wait for a block."""
        self._stop.set()
        for each in list(self._streams):
            each.cancel()

    def _attempt(self, wanted: Wanted) -> Fetched:
        if left := self._throttle.wait(self._stop):
            raise responses.rate_limited(left)
        if self._stop.is_set():
            raise _stopped()
        try:
            with self._client.open_picture(wanted.url) as stream:
                self._streams.add(stream)
                try:
                    if self._stop.is_set():
                        raise _stopped()
                    return self._taken(wanted, stream)
                finally:
                    self._streams.discard(stream)
        except ApiError as error:
            if error.status in (429, 503):
                asked = retry.retry_after_seconds(error.retry_after, self._client.now())
                self._asked_to_wait = max(self._asked_to_wait, asked or 0.0)
                self._throttle.back_off(_UNTOLD if asked is None else asked)
            raise

    def _taken(self, wanted: Wanted, stream: PictureStream) -> Fetched:
        head = b""
        for block in stream.blocks:
            head += block
            if len(head) >= media_type.HEAD:
                break
        suffix = media_type.suffix(stream.content_type, head[: media_type.HEAD])
        if suffix is None:
            what = f"it is no picture ({short(stream.content_type)})" if head else "it is empty"
            raise UnexpectedReplyError(
                Problem("images", what, "look at its address in a browser"), status=200
            )
        with plainly(self._folder.path):
            made = self._folder.temporary()
            try:
                size, sha256 = self._written(made, head, stream)
                made.finish()
            except BaseException:
                self._folder.discard(made)
                raise
        entry = Entry(
            prompt_id=wanted.prompt_id,
            number=wanted.number,
            tune_id=wanted.tune_id,
            text=wanted.text,
            url=wanted.address,
            file=f"{wanted.prompt_id}-{wanted.number}{suffix}",
            bytes=size,
            sha256=sha256,
        )
        return Fetched(wanted, entry, made)

    def _written(self, made: Temporary, head: bytes, stream: PictureStream) -> tuple[int, str]:
        """Write a picture as it comes, and return its size and hash."""
        size, digest, tail = 0, hashlib.sha256(), b""
        for block in chain([head], stream.blocks):
            if self._stop.is_set():
                raise _stopped()
            made.file.write(block)
            digest.update(block)
            size, tail = size + len(block), (tail + block)[-_TAIL:]
            self.bytes += len(block)
        if not stream.is_delimited and media_type.is_cut_off(head, tail, size):
            raise NotSentError(Problem("images", "the picture broke off", "try again later"))
        return size, digest.hexdigest()


def _stopped() -> AstriaError:
    return AstriaError(Problem("images", "the download was stopped", "call it again"))
