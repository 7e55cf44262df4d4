"""One method per endpoint of the Astria API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from os import PathLike
from typing import NoReturn

from astria_nb.client import _deletion as deletion
from astria_nb.client import _replies as replies
from astria_nb.client import responses
from astria_nb.client._account_id import AccountId
from astria_nb.client._api_key import KEY_PAGE, ApiKey
from astria_nb.client._base_url import find_base_url
from astria_nb.client._changes import change_tune
from astria_nb.client._credentials import KEY_VARIABLE, find_key
from astria_nb.client._deletion import DeletionLog
from astria_nb.client._picture_stream import PictureStream
from astria_nb.client._replies import Json as Json
from astria_nb.client._transport import GET_SECONDS, Transport
from astria_nb.errors import (
    ApiError,
    CredentialsError,
    LogError,
    NotFoundError,
    Problem,
    RejectedError,
    TuneError,
)
from astria_nb.images import Image, filename_for_type, thumbnail
from astria_nb.tune import MC_PER_DOLLAR, Body, Pack, encode_inspection, validators
from astria_nb.utils.arguments import check_bool, check_id, check_number
from astria_nb.utils.formatting import short
from astria_nb.utils.warn import warn

_DAY = 86400
_INSPECTION_SIDE = 512  # pixels, as the API's documents ask for (astria-api, section 10)


class Client:
    """Your account on the service.

    Parameters
    ----------
    api_key : str or ApiKey, optional
        Default: the environment variable ``ASTRIA_API_KEY``, else Colab's secret of that name, else the key
        that `astria_nb.login` stored for this address.
    base_url : str, optional
        Must be HTTPS or on this machine. Default: the environment variable ``ASTRIA_BASE_URL``, else Astria's
        own address.
    timeout : float
        Time limit of each call in seconds, up to a day. `create_tune` has a limit of its own: ten minutes,
        and more for a large upload.

    Raises
    ------
    CredentialsError
        No API key was found, or the address would expose it.
    AstriaError
        The timeout is out of range.

    Notes
    -----
    Every method raises an `ApiError` if the answer is an error (`UnauthorizedError`, `NotFoundError`,
    `RejectedError`, `TooManyRequestsError`, `ServerError`), an `UnexpectedReplyError` if it is not one of the
    API's, and a `NotSentError` if the service cannot be reached. Redirects are not followed. Requests that
    only read are retried a few times where that can help (no connection, no answer, 408, 425, 429, 500, 502,
    503, 504, a truncated answer), after the wait that the service asks for; a request that creates a tune is
    sent once, as is an image to `inspect`. A client may be used from several threads.

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
            hint = f"set {KEY_VARIABLE} or run anb.login(); yours is at {KEY_PAGE}"
            raise CredentialsError(Problem("api_key", "no API key found", hint))
        timeout = check_number("timeout", timeout, "seconds", maximum=_DAY, allow_zero=False)
        self._transport = Transport(url, key, timeout)
        self._account = AccountId(self._transport)

    @property
    def base_url(self) -> str:
        """The service's address, without a trailing slash."""
        return self._transport.base_url

    @property
    def service(self) -> str:
        """What identifies the service in an experiment log: its address.

        Sandboxes share a few ports over time, so the end of their key is added.
        """
        if self.base_url.startswith("https://"):
            return self.base_url
        return f"{self.base_url} {self._transport.key!r}"

    @property
    def account(self) -> str | None:
        """The account's id on the service, as text. Asked for once, before the first submission.

        None if the service does not tell it. A sandbox is not asked: `service` tells sandboxes apart.
        """
        return self._account.get() if self.service == self.base_url else None

    @property
    def known_account(self) -> str | None:
        """The `account` if it was asked for already, else None."""
        return self._account.known

    def balance(self) -> float | None:
        """Return what the account has to spend, asked for at each call.

        Returns
        -------
        float or None
            US dollars, of the account that pays for this one if there is one. None if the service does not
            tell it, or does not answer within ten seconds; it is not asked again for five minutes then.

        Examples
        --------
        >>> import astria_nb as anb
        >>> with anb.Sandbox(balance_mc=500_000) as sandbox:
        ...     sandbox.client().balance()
        5.0
        """
        balance_mc = self._account.balance_mc()
        return None if balance_mc is None else balance_mc / MC_PER_DOLLAR

    @property
    def throttled(self) -> int:
        """How often the service answered 429 (too many requests); each time, all threads back off."""
        return self._transport.throttle.count

    def __repr__(self) -> str:
        return f"Client({self.base_url}, key {self._transport.key!r})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(
            "a client holds an API key and cannot be pickled or copied: make a new one with Client()"
        )

    def now(self) -> datetime:
        """Return the service's time (UTC) by its last answer, as ``eta`` and ``expires_at`` count it."""
        return self._transport.now()

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._transport.close()

    def packs(
        self, *, gallery: bool = False, listed: bool | None = None, public: bool | None = None
    ) -> list[Pack]:
        """Return your own packs, or those of the public gallery.

        Parameters
        ----------
        gallery : bool
            Return the packs of the public gallery instead of your own.
        listed : bool, optional
            Only packs that are listed, or only those that are not. Default: both.
        public : bool, optional
            Only packs that are public, or only those that are not. Default: both.

        Returns
        -------
        list of Pack
        """
        path = "/gallery/packs" if gallery else "/packs"
        return replies.get_packs(self._transport, path, listed=listed, public=public)

    def pack(self, pack: int | str) -> Pack:
        """Return one pack.

        Parameters
        ----------
        pack : int or str
            Id or slug.

        Raises
        ------
        TuneError
            The value is neither an id nor a slug.
        NotFoundError
            The service has no such pack.
        """
        try:
            return replies.pack_of(replies.get_object(self._transport, _pack_path(pack)))
        except NotFoundError as error:
            status = error.status
        hint = "choose one of client.packs() or client.packs(gallery=True)"
        problem = Problem("pack", f"{short(pack)} is not known to {self.base_url}", hint, kind="not_found")
        raise NotFoundError(problem, status=status)

    def tunes(
        self, *, title: str | None = None, before_id: int | None = None, limit: int | None = None
    ) -> Iterator[Json]:
        """Yield your tunes as the API's JSON, newest first; pages are requested as they are needed.

        Parameters
        ----------
        title : str, optional
            Only tunes with this title, or with one that contains it.
        before_id : int, optional
            Only tunes with a smaller id, which are older.
        limit : int, optional
            Maximum number of tunes; up to 120 take one request.

        Yields
        ------
        dict
        """
        return replies.get_pages(self._transport, "/tunes", before_id, limit, title=title)

    def tune(self, id: int) -> Json:  # noqa: A002  the API's own name
        """Return one tune as the API's JSON.

        Parameters
        ----------
        id : int

        Raises
        ------
        NotFoundError
            The account has no such tune.
        """
        return self._record("tune", id)

    def prompts(
        self, tune_id: int | None = None, *, before_id: int | None = None, limit: int | None = None
    ) -> Iterator[Json]:
        """Yield prompts as the API's JSON, newest first; pages are requested as they are needed.

        Parameters
        ----------
        tune_id : int, optional
            Only prompts that use this tune. Default: all of yours.
        before_id : int, optional
            Only prompts with a smaller id, which are older.
        limit : int, optional
            Maximum number of prompts; up to 120 take one request.

        Yields
        ------
        dict
        """
        if tune_id is None:
            return replies.get_pages(self._transport, "/prompts", before_id, limit)
        tune_id = check_id("tune_id", tune_id)
        pages = replies.get_pages(self._transport, f"/tunes/{tune_id}/prompts", before_id, limit)
        return self._prompts_of(tune_id, pages)

    def prompt(self, id: int) -> Json:  # noqa: A002  the API's own name
        """Return one prompt as the API's JSON.

        Parameters
        ----------
        id : int

        Raises
        ------
        NotFoundError
            The account has no such prompt.
        """
        return self._record("prompt", id)

    def like(self, prompt_id: int, liked: bool = True) -> None:
        """Like or unlike a prompt's pictures. Not retried: the endpoint may toggle.

        Parameters
        ----------
        prompt_id : int
        liked : bool
            False removes a like.

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
        prompt_id = check_id("prompt_id", prompt_id)
        try:
            self._transport.send_empty("POST" if liked else "DELETE", f"/prompts/{prompt_id}/likes")
            return
        except NotFoundError as error:
            failure = self._not_found("prompt_id", f"prompt {prompt_id}", error)
        raise failure

    def update_tune(self, id: int, *, auto_extend: bool) -> None:  # noqa: A002  the API's own name
        """Let the service keep a tune beyond its expiry, or stop that. Sent once, whatever happens.

        `astria_nb.keep_longer` looks up what became of a request whose answer was lost.

        Parameters
        ----------
        id : int
        auto_extend : bool
            True costs about $0.50 for each month that the tune is kept (astria-api, section 13).

        Raises
        ------
        NotFoundError, RejectedError, NotSentError
            Nothing was changed.
        OutcomeUnknownError
            The request was sent, but its answer was missing, or neither a success nor a refusal.

        Examples
        --------
        >>> import astria_nb as anb
        >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
        >>> with anb.Sandbox(deterministic=True, tune_fields="record") as sandbox:
        ...     client = sandbox.client()
        ...     tune_id = int(anb.submit(tune, client).loc[0, "id"])
        ...     client.update_tune(tune_id, auto_extend=True)
        ...     client.tune(tune_id)["auto_extend"]
        True
        """
        id_ = check_id("id", id)
        fields = {"auto_extend": check_bool("auto_extend", auto_extend)}
        try:
            change_tune(self._transport, id_, fields)
            return
        except NotFoundError as error:
            failure = self._not_found("id", f"tune {id_}", error)
        raise failure

    def delete_tune(self, id: int, *, log: DeletionLog | None = None) -> None:  # noqa: A002  the API's own name
        """Delete a tune from the service, for ever. A checkpoint's prompts are deleted with it.

        Sent once. If its answer is lost, the tune is looked up. The log keeps its record, whose ``status``
        becomes ``deleted``; the title stays taken there, so that submitting it again costs nothing.

        Parameters
        ----------
        id : int
        log : ExperimentLog, optional
            Where it is recorded. Default: the log of `submit`, if its file exists.

        Warns
        -----
        UserWarning
            The tune was deleted, but the log could not be written.

        Raises
        ------
        NotFoundError
            The account has no such tune.
        NotSentError, ServerError
            The service could not be reached or failed, and the tune was still there, or could not be looked
            up. Call it again.

        Examples
        --------
        >>> import astria_nb as anb
        >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
        >>> with anb.Sandbox(deterministic=True) as sandbox:
        ...     client = sandbox.client()
        ...     row = anb.submit(tune, client)
        ...     client.delete_tune(row.loc[0, "id"])
        >>> anb.ExperimentLog().frame()["status"].iloc[-1]
        'deleted'
        """
        tune_id = check_id("id", id)
        failure: NotFoundError | None = None
        try:
            deletion.delete_tune(self._transport, tune_id)
        except NotFoundError as error:
            failure = self._not_found("id", f"tune {tune_id}", error)
        # One that is gone was deleted before, perhaps by a call that was killed; another account may have it.
        if failure is None or self.account is not None or self.service != self.base_url:
            self._record_deletion(tune_id, log)
        if failure is not None:
            raise failure

    def create_tune(self, pack: int | str, body: Body) -> Json:
        """Run a pack. This is the one paid request, and it is sent once, whatever happens.

        Parameters
        ----------
        pack : int or str
            Id or slug.
        body : Body
            From `astria_nb.tune._encoding.encode`. Used up by this call; the caller closes it.

        Returns
        -------
        dict
            The tune, or for a run on existing tunes whatever the service answers.

        Raises
        ------
        TuneError
            A file changed while it was sent. Nothing was created.
        NotSentError
            The request was not sent completely. Nothing was created.
        OutcomeUnknownError
            The request was sent, but its answer was missing or unreadable, or neither a success nor a refusal
            that proves that nothing was created (400, 401, 402, 403, 404, 422, 426, 429): the tune may exist.
        """
        try:
            data = self._transport.post(f"{_pack_path(pack)}/tunes", body)
        except ApiError as error:
            is_success = 200 <= error.status < 300
            if error.status in responses.REFUSALS or (body.sent < len(body) and not is_success):
                raise
            reason = f"status {error.status}"
            if isinstance(error, RejectedError):  # a page of a proxy that failed says nothing more
                reason += f": {error.problems[0].what}"
        else:
            # The API's documents show an array of one, too (astria-api, section 14).
            reply = data[0] if isinstance(data, list) and len(data) == 1 else data
            if isinstance(reply, dict):
                return reply
            reason = "an answer that is not an object"
        raise responses.outcome_unknown(reason)

    def inspect(self, image: str | PathLike[str] | Image, *, name: str) -> Json:
        """Have the service inspect one training image: what makes it a poor one, and who or what it shows.

        A copy of at most 512 pixels a side is sent, turned upright and without metadata.

        Parameters
        ----------
        image : path, web address or Image
            The service downloads a web address itself.
        name : str
            The class to train, such as ``woman``.

        Returns
        -------
        dict
            The service's answer (astria-api, section 10); any key may be missing. See
            `astria_nb.client._inspection` for its meaning, and for many images.

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
            return self._inspect(encode_inspection(name, url=image))
        image = image if isinstance(image, Image) else Image.open(image)
        try:
            copy = thumbnail(image.path, _INSPECTION_SIDE)
        except OSError as error:
            reason = str(error)
        else:
            return self._inspect(
                encode_inspection(name, file=(filename_for_type(image.filename, "image/jpeg"), copy))
            )
        raise TuneError(Problem("images", f"{image.filename!r} {reason}", "re-save it, or remove it"))

    def picture(self, url: str) -> bytes:
        """Return a picture, of at most 50 MiB. The key is not sent: pictures are public, on other hosts.

        Parameters
        ----------
        url : str

        Raises
        ------
        AstriaError
            The picture cannot be fetched.
        """
        return self._transport.picture(url)

    def open_picture(self, url: str) -> AbstractContextManager[PictureStream]:
        """Open a picture to read it block by block, in a ``with`` statement. Sent once, without the key.

        Parameters
        ----------
        url : str

        Raises
        ------
        AstriaError
            The picture cannot be fetched. After an `ApiError` or a `NotSentError`, trying again may help.
        """
        return self._transport.open_picture(url)

    def _record(self, kind: str, id_: int) -> Json:
        id_ = check_id("id", id_)
        try:
            return replies.get_object(self._transport, f"/{kind}s/{id_}")
        except NotFoundError as error:
            failure = self._not_found("id", f"{kind} {id_}", error)
        raise failure

    def _record_deletion(self, tune_id: int, log: DeletionLog | None) -> None:
        try:
            log = deletion.default_log() if log is None else log
            if log is not None:
                log.mark_deleted(self.service, tune_id, self.account)
        except LogError as error:
            warn(f"tune {tune_id} was deleted, but that was not recorded ({error})", is_paid=True)

    def _prompts_of(self, tune_id: int, pages: Iterator[Json]) -> Iterator[Json]:
        try:
            yield from pages
            return
        except NotFoundError as error:
            failure = self._not_found("tune_id", f"tune {tune_id}", error)
        raise failure

    def _not_found(self, field: str, record: str, error: NotFoundError) -> NotFoundError:
        reason = error.problems[0].what
        what = f"no {record} at {self.base_url}"
        if reason.casefold() != "not found":
            what += f" ({reason})"
        problem = Problem(field, what, "was it created with another client?")
        return NotFoundError(problem, status=error.status)

    def _inspect(self, body: Body) -> Json:
        return replies.checked_object(self._transport.post_small("/images/inspect", body))


def _pack_path(pack: int | str) -> str:
    """Return the path of a pack. Anything but an id or a slug could lead elsewhere, as ``..`` would."""
    problems: list[Problem] = []
    valid = validators.pack(pack, lambda what, hint, key="": problems.append(Problem("pack", what, hint)))  # noqa: ARG005
    if problems:
        raise TuneError(*problems)
    return f"/p/{valid}"
