"""Downloads of pictures to temporary files: complete or not at all, with retries and a shared back-off."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from astria_nb.client import Client, PictureStream, Throttle, responses, retry
from astria_nb.errors import ApiError, AstriaError, NotSentError, Problem, UnexpectedReplyError
from astria_nb.results.downloads import _media_type as media_type
from astria_nb.results.downloads._entry import Entry, Key
from astria_nb.results.downloads._folder_errors import folder_errors
from astria_nb.results.downloads._safe_folder import SafeFolder, TemporaryFile
from astria_nb.utils.formatting import format_duration, short

_SECONDS = 240.0  # seconds for all attempts for a picture; each has half of them
_MAX_RETRY_AFTER = 600.0  # seconds; if a host asks for more, the download ends
_DEFAULT_RETRY_AFTER = 1.0  # seconds
_MAX_BACK_OFFS = 5  # per picture


@dataclass(frozen=True, slots=True)
class RemotePicture:
    """A picture to download.

    Attributes
    ----------
    prompt_id, number : int
    tune_id : int or None
    text : str
        The prompt's text.
    url : str
        As the service returns it. May be signed, so it is never stored.
    redacted_url : str
        Without secrets and other parts that change with each signature.
    expires_at : datetime or None
        When the service deletes it, in UTC.
    """

    prompt_id: int
    number: int
    tune_id: int | None
    text: str
    url: str
    redacted_url: str
    expires_at: datetime | None = None

    @property
    def key(self) -> Key:
        """The key of its entry in the manifest."""
        return self.prompt_id, self.number


@dataclass(frozen=True, slots=True)
class FetchResult:
    """A complete file without its final name, and its entry; or a problem."""

    picture: RemotePicture
    entry: Entry | None = None
    temporary: TemporaryFile | None = None
    problem: str | None = None


class Fetcher:
    """Downloads pictures, from several threads.

    Parameters
    ----------
    client : Client
    folder : SafeFolder
    stop : threading.Event
        Ends every wait.

    Attributes
    ----------
    bytes : int
        Downloaded so far.
    """

    def __init__(self, client: Client, folder: SafeFolder, stop: threading.Event) -> None:
        self._client, self._folder, self._stop = client, folder, stop
        self._throttle = Throttle()  # separate from the client's: pictures have other hosts
        self._retry_after = 0.0
        self._streams: set[PictureStream] = set()
        self.bytes = 0

    def fetch(self, picture: RemotePicture) -> FetchResult:
        """Download a picture.

        Raises
        ------
        AstriaError
            The folder cannot be written.
        """
        error: AstriaError
        for _ in range(_MAX_BACK_OFFS):
            if self._retry_after > _MAX_RETRY_AFTER:
                delay = format_duration(self._retry_after)
                return FetchResult(
                    picture, problem=f"its host asks to wait {delay}; call download after that"
                )
            self._throttle.wait(self._stop)  # outside the retries' deadline: it may take minutes
            try:
                return retry.call_with_retries(
                    lambda: self._attempt(picture), seconds=_SECONDS, name="a picture", now=self._client.now
                )
            except AstriaError as failure:
                error = failure
            if any(problem.field == "folder" for problem in error.problems):
                raise error
            if self._stop.is_set() or self._throttle.remaining() <= 0:
                break
        text = "; ".join(f"{problem.what}; {problem.hint}" for problem in error.problems)
        return FetchResult(picture, problem=text)

    def back_off_seconds(self) -> float:
        """Return the seconds until requests are allowed again."""
        return self._throttle.remaining()

    def cancel(self) -> None:
        """Stop, and end the reads that are blocked."""
        self._stop.set()
        for stream in list(self._streams):
            stream.cancel()

    def _attempt(self, picture: RemotePicture) -> FetchResult:
        if back_off := self._throttle.wait(self._stop):
            raise responses.rate_limited(back_off)
        self._raise_if_stopped()
        try:
            with self._client.open_picture(picture.url) as stream:
                self._streams.add(stream)
                try:
                    self._raise_if_stopped()
                    return self._save(picture, stream)
                finally:
                    self._streams.discard(stream)
        except ApiError as error:
            if error.status in (429, 503):
                seconds = retry.retry_after_seconds(error.retry_after, self._client.now())
                self._retry_after = max(self._retry_after, seconds or 0.0)
                self._throttle.back_off(_DEFAULT_RETRY_AFTER if seconds is None else seconds)
            raise

    def _save(self, picture: RemotePicture, stream: PictureStream) -> FetchResult:
        head = b""
        for block in stream.blocks:
            head += block
            if len(head) >= media_type.HEAD_BYTES:
                break
        suffix = media_type.suffix(stream.content_type, head[: media_type.HEAD_BYTES])
        if suffix is None:
            what = f"it is not a picture ({short(stream.content_type)})" if head else "it is empty"
            raise UnexpectedReplyError(
                Problem("images", what, "look at its address in a browser"), status=200
            )
        with folder_errors(self._folder.path):
            temporary = self._folder.create_temporary()
            try:
                size, sha256 = self._write(temporary, head, stream)
                temporary.sync()
            except BaseException:
                self._folder.discard(temporary)
                raise
        entry = Entry(
            prompt_id=picture.prompt_id,
            number=picture.number,
            tune_id=picture.tune_id,
            text=picture.text,
            url=picture.redacted_url,
            file=f"{picture.prompt_id}-{picture.number}{suffix}",
            bytes=size,
            sha256=sha256,
        )
        return FetchResult(picture, entry, temporary)

    def _write(self, temporary: TemporaryFile, head: bytes, stream: PictureStream) -> tuple[int, str]:
        """Write a picture to a file, and return its size and hash."""
        size, digest = 0, hashlib.sha256()
        for block in chain([head], stream.blocks):
            self._raise_if_stopped()
            temporary.file.write(block)
            digest.update(block)
            size += len(block)
            self.bytes += len(block)
        if media_type.is_truncated(temporary.file, size):
            raise NotSentError(Problem("images", "the download broke off", "try again later"))
        return size, digest.hexdigest()

    def _raise_if_stopped(self) -> None:
        if self._stop.is_set():
            raise AstriaError(Problem("images", "the download was stopped", "call it again"))
