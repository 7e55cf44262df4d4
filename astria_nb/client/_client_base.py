"""A client's key, address and connections, and the facts that it knows about its account."""

from __future__ import annotations

from datetime import datetime
from typing import NoReturn

from astria_nb.client import _replies as replies
from astria_nb.client import responses
from astria_nb.client._account_id import AccountId
from astria_nb.client._api_key import KEY_PAGE, ApiKey
from astria_nb.client._base_url import find_base_url
from astria_nb.client._credentials import KEY_VARIABLE, find_key
from astria_nb.client._error_body import error_text
from astria_nb.client._replies import Json
from astria_nb.client._transport import GET_SECONDS, Transport
from astria_nb.errors import (
    ApiError,
    CredentialsError,
    NotFoundError,
    Problem,
)
from astria_nb.tune import MC_PER_DOLLAR
from astria_nb.utils.arguments import check_id, check_number

_DAY = 86400


class ClientBase:
    """The part of a client that all its methods share."""

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
        """The service's address, which identifies it in an experiment log.

        Sandboxes share a few ports over time, so the end of their key is added.
        """
        return self._transport.service

    @property
    def account(self) -> str | None:
        """The account's id on the service, as text. Requested once, before the first submission.

        None if the service does not report it. A sandbox is not asked: `service` identifies it.
        """
        return self._account.get() if self.service == self.base_url else None

    @property
    def known_account(self) -> str | None:
        """The `account` if it has been requested already, else None."""
        return self._account.known

    @property
    def key_end(self) -> str:
        """The end of the key, such as ``sd_…aB3d``, the only part that is ever shown."""
        return repr(self._transport.key)

    def balance(self) -> float | None:
        """Return the balance of the account, requested at each call.

        Returns
        -------
        float or None
            In US dollars; that of the account that pays for this one, if there is one. None if the service
            does not report it, or does not answer within ten seconds; then it is not asked again for five
            minutes.

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
        if "_transport" not in vars(self):  # if a traceback shows a client whose arguments were refused
            return "Client()"
        return f"Client({self.base_url}, key {self._transport.key!r})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(
            "a client holds an API key and cannot be pickled or copied: make a new one with Client()"
        )

    def now(self) -> datetime:
        """Return the service's time (UTC) from its last answer, the clock of ``eta`` and ``expires_at``."""
        return self._transport.now()

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._transport.close()

    def _record(self, kind: str, id_: int) -> Json:
        id_ = check_id("id", id_)
        try:
            reply = replies.get_object(self._transport, f"/{kind}s/{id_}")
            # Callbacks have the record under its kind; replies may do so, too (astria-api, section 9).
            record = replies.with_id(reply) or replies.with_id(reply.get(kind))
            if record is not None and record["id"] == id_:
                return record
            words = error_text(reply) if record is None else f"{kind} {record['id']}"
            failure: ApiError = responses.in_place_of(f"{kind} {id_}", words)
        except NotFoundError as error:
            failure = self._not_found("id", f"{kind} {id_}", error)
        raise failure

    def _not_found(self, field: str, record: str, error: NotFoundError) -> ApiError:
        """Return the error for a record that does not exist, unless the 404 is a web page."""
        if error.page:
            return responses.page_error(error.status, error.page)
        reason = error.problems[0].what
        what = f"no {record} at {self.base_url}"
        if reason.casefold() != "not found":
            what += f" ({reason})"
        problem = Problem(field, what, "was it created with another client?")
        return NotFoundError(problem, status=error.status)
