"""The tunes of a client."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from astria_nb.client import _deletion as deletion
from astria_nb.client import _replies as replies
from astria_nb.client import responses
from astria_nb.client._changes import change_tune
from astria_nb.client._client_base import ClientBase
from astria_nb.client._deletion import DeletionLog
from astria_nb.client._own_names import add_own_names
from astria_nb.client._packs import pack_path
from astria_nb.client._replies import Json
from astria_nb.errors import (
    ApiError,
    LogError,
    NotFoundError,
)
from astria_nb.tune import Body
from astria_nb.utils.arguments import check_bool, check_id
from astria_nb.utils.warn import warn

_TOO_LARGE = 413


class TuneMethods(ClientBase):
    """Tunes: listed, looked up, created, changed and deleted."""

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

        Raises
        ------
        AstriaError
            `before_id` is not an id, or `limit` is not a number.

        Examples
        --------
        >>> import astria_nb as anb
        >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
        >>> with anb.Sandbox(deterministic=True) as sandbox:
        ...     client = sandbox.client()
        ...     row = anb.submit(tune, client)
        ...     [(tune["id"], tune["title"]) for tune in client.tunes(limit=10)]
        [(1000001, 't')]
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

        Examples
        --------
        >>> import astria_nb as anb
        >>> with anb.Sandbox() as sandbox:
        ...     try:
        ...         sandbox.client().tune(7)
        ...     except anb.errors.NotFoundError as error:
        ...         print(error.problems[0].field, error.status)
        id 404
        """
        return self._record("tune", id)

    def create_tune(self, pack: int | str, body: Body) -> Json:
        """Run a pack. This is the only paid request, and it is sent exactly once.

        Parameters
        ----------
        pack : int or str
            Id or slug.
        body : Body
            From `astria_nb.tune._encoding.encode`. Consumed by this call; the caller closes it.

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
            that proves that nothing was created (400, 401, 402, 403, 404, 422, 426, 429; but not a 403 with a
            web page, which comes from a filter): the tune may exist.
        """
        try:
            data = self._transport.post(f"{pack_path(pack)}/tunes", body)
        except ApiError as error:
            add_own_names(error, body.own_names)
            is_success = 200 <= error.status < 300
            is_incomplete = body.sent < len(body) and not is_success
            too_large = responses.too_large(len(body)) if error.status == _TOO_LARGE else None
            if too_large is not None and is_incomplete:
                error.args = (replace(too_large, hint=f"nothing was created; {too_large.hint}"),)
            if responses.is_refusal(error) or is_incomplete:
                if body.excess and error.status == 400:
                    error.args = (*error.problems, body.excess)
                raise
            reason = responses.reason_of(error)
            for known in filter(None, (too_large, body.excess)):
                reason += f"; {known}"
        else:
            # The API's documents also show an array with one item (astria-api, section 14).
            reply = data[0] if isinstance(data, list) and len(data) == 1 else data
            if isinstance(reply, dict):
                return reply
            reason = "an answer that is not an object"
        raise responses.outcome_unknown(reason)

    def update_tune(self, id: int, *, auto_extend: bool) -> None:  # noqa: A002  the API's own name
        """Tell the service to keep a tune beyond its expiry, or to stop that. Sent exactly once.

        If an answer is lost, `astria_nb.keep_longer` looks up the outcome.

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
        """Delete a tune from the service permanently. A checkpoint's prompts are deleted with it.

        Sent once. If its answer is lost, the tune is looked up. The log keeps its record with the ``status``
        ``deleted``. The title stays taken there, so submitting it again costs nothing.

        Parameters
        ----------
        id : int
        log : ExperimentLog, optional
            The log that records the deletion. Default: the log of `submit`, if its file exists.

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
        failure: ApiError | None = None
        is_confirmed = False
        try:
            is_confirmed = deletion.delete_tune(self._transport, tune_id)
        except NotFoundError as error:
            failure = self._not_found("id", f"tune {tune_id}", error)
        # A missing tune was deleted before, perhaps by a call that was killed, or belongs to another account.
        if is_confirmed or self.account is not None or self.service != self.base_url:
            self._record_deletion(tune_id, log, is_confirmed=is_confirmed)
        if failure is not None:
            raise failure

    def _record_deletion(self, tune_id: int, log: DeletionLog | None, *, is_confirmed: bool) -> None:
        try:
            log = deletion.default_log() if log is None else log
            if log is not None:
                log.mark_deleted(self.service, tune_id, self.account, is_confirmed=is_confirmed)
        except LogError as error:
            warn(f"tune {tune_id} was deleted, but that was not recorded ({error})", is_paid=True)
