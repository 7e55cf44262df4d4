"""One method per endpoint of the Astria API."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from os import PathLike
from typing import Any, NoReturn

from astria_nb.client import responses
from astria_nb.client.api_key import KEY_PAGE, ApiKey
from astria_nb.client.base_url import find_base_url
from astria_nb.client.credentials import find_key
from astria_nb.client.picture_stream import PictureStream
from astria_nb.client.transport import GET_SECONDS, Transport
from astria_nb.errors import (
    CredentialsError,
    NotFoundError,
    Problem,
    ServerError,
    TuneError,
    UnexpectedReplyError,
)
from astria_nb.images.image import Image, thumbnail
from astria_nb.images.upload import filename_for_type
from astria_nb.tune import validators
from astria_nb.tune.encoding import Body, encode_look
from astria_nb.tune.pack import Pack
from astria_nb.utils.arguments import check_id, check_number
from astria_nb.utils.formatting import short

Json = dict[str, Any]
_PAGE = 120  # the API's maximum (astria-api, section 7)
_DAY = 86400
_INSPECTED = 512  # pixels, as its documents ask for (astria-api, section 10)


class Client:
    """Your account on the service.

    Parameters
    ----------
    api_key : str or ApiKey, optional
        Default: the environment's ``ASTRIA_API_KEY``, else Colab's secret of that name, else the one that
        `astria_nb.login` kept for this address.
    base_url : str, optional
        Default: the environment's ``ASTRIA_BASE_URL``, else Astria's own address. HTTPS or this machine.
    timeout : float
        Seconds that each call may take, but for `create_tune`, which has ten minutes and what its size needs.

    Raises
    ------
    CredentialsError
        When there is no key, or the address would expose it.

    Notes
    -----
    Every method raises an `ApiError` for an answer that is an error (`UnauthorizedError`, `NotFoundError`,
    `RejectedError`, `TooManyRequestsError`, `ServerError`), `UnexpectedReplyError` for one that is not the
    API's, and `NotSentError` when the service cannot be reached. No redirect is followed. What only reads is
    asked again a few times where that can help (no connection, no answer, 429, 500, 502, 503, 504, an answer
    that is cut off), after the wait that the service asks for; what creates a tune is sent once, and so is an
    image to `inspect`. Safe to use
    from several threads.

    Examples
    --------
    >>> import astria_nb as anb
    >>> with anb.Sandbox() as sandbox:
    ...     sandbox.client().pack(260).title
    'Corporate Headshots'
    """

    def __init__(
        self,
        api_key: str | ApiKey | None = None,
        *,
        base_url: str | None = None,
        timeout: float = GET_SECONDS,
    ) -> None:
        try:
            url = find_base_url(base_url)
            key = find_key(api_key, url)
        finally:
            del api_key  # a traceback can show the variables of each frame
        if key is None:
            hint = f"set ASTRIA_API_KEY or run anb.login(); yours is at {KEY_PAGE}"
            raise CredentialsError(Problem("api_key", "there is none", hint))
        timeout = check_number("timeout", timeout, "seconds", maximum=_DAY, allow_zero=False)
        self._transport = Transport(url, key, timeout)

    @property
    def base_url(self) -> str:
        """The service's address, without a trailing slash."""
        return self._transport.base_url

    @property
    def service(self) -> str:
        """What tells this service from others in a log: its address.

        Sandboxes come and go on the same few ports; the end of their key tells them apart.
        """
        return (
            self.base_url
            if self.base_url.startswith("https://")
            else f"{self.base_url} {self._transport.key!r}"
        )

    def __repr__(self) -> str:
        return f"Client({self.base_url}, key {self._transport.key!r})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a client holds a key and is not written anywhere: make a new one with Client()")

    def now(self) -> datetime:
        """Return the service's time in UTC by its last answer: the clock of ``eta`` and ``expires_at``."""
        return self._transport.now()

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._transport.close()

    def packs(
        self, *, gallery: bool = False, listed: bool | None = None, public: bool | None = None
    ) -> list[Pack]:
        """Return your own packs, or those of the public gallery, all pages.

        Parameters
        ----------
        gallery : bool
            The public gallery instead of your own.
        listed, public : bool, optional
            Only packs that are listed, or public.
        """
        path = "/gallery/packs" if gallery else "/packs"
        found: dict[int, Pack] = {}
        while True:
            page = self._list(path, listed=listed, public=public, limit=_PAGE, offset=len(found))
            fresh = {pack.id: pack for pack in map(_pack, page) if pack.id not in found}
            # An empty page ends the list; so does one of known packs, should the service ignore `offset`.
            if not fresh:
                return list(found.values())
            found |= fresh

    def pack(self, pack: int | str) -> Pack:
        """Return one pack by its id or slug."""
        try:
            return _pack(self._object(_path(pack)))
        except NotFoundError as error:
            status = error.status
        hint = "choose one of client.packs() or client.packs(gallery=True)"
        raise NotFoundError(
            Problem("pack", f"{short(pack)} is not known to {self.base_url}", hint, kind="not_found"),
            status=status,
        )

    @property
    def throttled(self) -> int:
        """How often the service answered 429, too many requests; all threads wait then as long as it asks."""
        return self._transport.throttle.count

    def tunes(
        self, *, title: str | None = None, before_id: int | None = None, limit: int | None = None
    ) -> Iterator[Json]:
        """Yield your tunes as the API's JSON, newest first; pages are fetched as they are needed.

        Parameters
        ----------
        title : str, optional
            Only those of exactly this title.
        before_id : int, optional
            Only those older than this one.
        limit : int, optional
            So many at most; up to 120 are one request.
        """
        return self._pages("/tunes", before_id, limit, title=title)

    def tune(self, id: int) -> Json:  # noqa: A002  the API's own name
        """Return one tune as the API's JSON."""
        return self._object(f"/tunes/{check_id('id', id)}")

    def prompts(
        self, tune_id: int | None = None, *, before_id: int | None = None, limit: int | None = None
    ) -> Iterator[Json]:
        """Yield prompts as the API's JSON, newest first; pages are fetched as they are needed.

        Parameters
        ----------
        tune_id : int, optional
            Only those that use this tune; default all of yours.
        before_id, limit : int, optional
            As for `tunes`.
        """
        path = "/prompts" if tune_id is None else f"/tunes/{check_id('tune_id', tune_id)}/prompts"
        return self._pages(path, before_id, limit)

    def prompt(self, id: int) -> Json:  # noqa: A002  the API's own name
        """Return one prompt as the API's JSON."""
        return self._object(f"/prompts/{check_id('id', id)}")

    def like(self, prompt_id: int, liked: bool = True) -> None:
        """Like a prompt's pictures, or like them no more. It is sent once: some services take it by turns.

        Parameters
        ----------
        prompt_id : int
        liked : bool
            False takes a like back.

        Notes
        -----
        A like counts for the pack's template as well, which sorts the pack (astria-api, section 11).

        Examples
        --------
        >>> import astria_nb as anb
        >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
        >>> with anb.Sandbox(deterministic=True) as sandbox:
        ...     client = sandbox.client()
        ...     prompt_id = anb.prompts(anb.submit(tune, client), client).loc[0, "id"]
        ...     client.like(prompt_id)
        ...     bool(client.prompt(prompt_id)["liked"])
        True
        """
        self._transport.tell(
            "POST" if liked else "DELETE", f"/prompts/{check_id('prompt_id', prompt_id)}/likes"
        )

    def create_tune(self, pack: int | str, body: Body) -> Json:
        """Run a pack: the one paid request. It is sent once, whatever happens.

        Parameters
        ----------
        pack : int or str
            Id or slug.
        body : Body
            From `astria_nb.tune.encoding.encode`; used up by this call, and left to the caller to close.

        Returns
        -------
        dict
            The tune, or for a run on existing tunes whatever the service says of it.

        Raises
        ------
        TuneError
            A file changed while it was sent. Nothing was created.
        NotSentError
            The request did not leave whole. Nothing was created.
        OutcomeUnknownError
            It left whole and no readable answer came, or a 5xx: the tune may exist.
        """
        try:
            data = self._transport.post(f"{_path(pack)}/tunes", body)
        except (ServerError, UnexpectedReplyError) as error:
            reason = f"status {error.status}"
            redirected = 300 <= error.status < 400
            if redirected:  # the address is at fault, no service took the request
                raise
        else:
            # An array of one was seen in the documents (astria-api, section 14).
            reply = data[0] if isinstance(data, list) and len(data) == 1 else data
            if isinstance(reply, dict):
                return reply
            reason = "an answer that is no object"
        raise responses.unknown(reason)

    def inspect(self, image: str | PathLike[str] | Image, *, name: str) -> Json:
        """Have the service look at one training image: what makes it a bad one, and who or what is on it.

        A copy of at most 512 pixels a side is sent, the right way up and without metadata.

        Parameters
        ----------
        image : path, web address or Image
            The service downloads what is at an address itself.
        name : str
            The class that is to be trained, such as ``woman``.

        Returns
        -------
        dict
            As the service says it (astria-api, section 10); any key may be missing. See
            `astria_nb.client.inspection` for what it means, and for many images.

        Raises
        ------
        TuneError
            The image cannot be read. Nothing was sent.

        Examples
        --------
        >>> import astria_nb as anb
        >>> with anb.Sandbox() as sandbox:
        ...     sandbox.client().inspect("https://example.com/wearing_hat.jpg", name="man")["wearing_hat"]
        True
        """
        if isinstance(image, str) and image.lower().startswith(("https://", "http://")):
            return self._said(encode_look(name, url=image))
        found = image if isinstance(image, Image) else Image.open(image)
        try:
            copy = thumbnail(found.path, _INSPECTED)
        except OSError as error:
            reason = str(error)
        else:
            return self._said(encode_look(name, file=(filename_for_type(found.filename, "image/jpeg"), copy)))
        raise TuneError(Problem("images", f"{found.filename!r} {reason}", "re-save it, or remove it"))

    def picture(self, url: str) -> bytes:
        """Return a picture's bytes, at most 50 MiB. The key is not sent: pictures are public, on other hosts.

        Raises
        ------
        AstriaError
            When it cannot be fetched.
        """
        return self._transport.picture(url)

    def open_picture(self, url: str) -> AbstractContextManager[PictureStream]:
        """Return a picture to take block by block, in a ``with``; it is asked for once, without the key.

        Raises
        ------
        AstriaError
            When it cannot be fetched: an `ApiError` or a `NotSentError` where asking again may help.
        """
        return self._transport.open_picture(url)

    def _pages(self, path: str, before_id: int | None, limit: int | None, **query: Any) -> Iterator[Json]:
        left = math.inf if limit is None else limit
        # However few come of what was asked for, the next page is only fetched for what is beyond it.
        while left > 0 and (page := self._list(path, limit=min(left, _PAGE), before_id=before_id, **query)):
            if before_id is not None and page[0]["id"] >= before_id:
                raise responses.unexpected(200, "the same page again")
            yield from page
            before_id, left = page[-1]["id"], left - _PAGE

    def _list(self, path: str, **query: Any) -> list[Json]:
        data = self._transport.get(path, query)
        if isinstance(data, list) and all(map(_has_id, data)):
            return data
        raise responses.unexpected(200, "something other than a list")

    def _said(self, body: Body) -> Json:
        data = self._transport.look("/images/inspect", body)
        if isinstance(data, dict):
            return data
        raise responses.unexpected(200, "something other than an object")

    def _object(self, path: str) -> Json:
        data = self._transport.get(path, {})
        if isinstance(data, dict):
            return data
        raise responses.unexpected(200, "something other than an object")


def _path(pack: int | str) -> str:
    """Return the path of a pack; what is neither id nor slug could lead elsewhere, as two dots would."""
    problems: list[Problem] = []
    known = validators.pack(pack, lambda what, hint, key="": problems.append(Problem("pack", what, hint)))  # noqa: ARG005
    if problems:
        raise TuneError(*problems)
    return f"/p/{known}"


def _has_id(data: object) -> bool:
    return isinstance(data, dict) and isinstance(data.get("id"), int)


def _pack(data: Json) -> Pack:
    try:
        return Pack.from_json(data)
    except (KeyError, TypeError, ValueError):
        reason = "a pack without an id"
    raise responses.unexpected(200, reason)
