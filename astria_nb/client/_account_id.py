"""The account that a key belongs to, which experiment logs record, and its balance."""

from __future__ import annotations

import threading
import time

from astria_nb.client._api_key import ApiKey
from astria_nb.client._transport import Transport
from astria_nb.client.deadline import Deadline
from astria_nb.errors import ApiError, AstriaError, ServerError, TooManyRequestsError
from astria_nb.utils.arguments import parse_whole

_SECONDS = 10.0  # asked before submissions, and must not delay them for long
# Seconds: a service that took so long without an answer is not asked again until the pause is over.
_SLOW, _PAUSE = 1.0, 300.0
# By address and key, since `submit` makes a client for each call without one: the answer, and when a service
# that did not answer may be asked again.
_remembered: dict[tuple[str, ApiKey], str] = {}
_ask_again_at: dict[tuple[str, ApiKey], float] = {}


class AccountId:
    """The id of an account, requested once per process (astria-api, section 2).

    Parameters
    ----------
    transport : Transport

    Attributes
    ----------
    known : str or None
        None before it was requested, and if the service does not report it.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._lock = threading.Lock()
        self._owner = transport.base_url, transport.key
        self.known: str | None = _remembered.get(self._owner)
        self._is_answered = self.known is not None

    def get(self) -> str | None:
        """Return the id, or None if the service does not report it, or cannot be reached now; not retried."""
        with self._lock:
            if not self._is_answered and time.monotonic() >= _ask_again_at.get(self._owner, 0.0):
                self._is_answered = self._ask()
            return self.known

    def balance_mc(self) -> int | None:
        """Return the current balance in millicents.

        None if the service does not report it, or cannot be reached now; not retried.
        """
        if time.monotonic() < _ask_again_at.get(self._owner, 0.0):
            return None
        return _balance_in(self._facts()[1])

    def _ask(self) -> bool:
        """Request the id, and return whether there was an answer."""
        is_answered, reply = self._facts()
        self.known = _id_in(reply)
        if self.known is not None:
            _remembered[self._owner] = self.known
        return is_answered

    def _facts(self) -> tuple[bool, object]:
        """Return whether the service answered, and what it reports about the account."""
        started = time.monotonic()
        try:
            with Deadline(_SECONDS):
                return True, self._transport.get_once("/users", {})
        except AstriaError as error:
            if isinstance(error, ApiError) and not isinstance(error, ServerError | TooManyRequestsError):
                return True, None
            now = time.monotonic()
            if now - started >= _SLOW:
                _ask_again_at[self._owner] = now + _PAUSE
            return False, None


def _id_in(reply: object) -> str | None:
    id_ = reply.get("id") if isinstance(reply, dict) else None
    is_id = isinstance(id_, str | int) and not isinstance(id_, bool) and str(id_).strip()
    return str(id_).strip() if is_id else None


def _balance_in(reply: object) -> int | None:
    """Return the balance of the account that pays for this one (astria-api, section 16)."""
    account = reply if isinstance(reply, dict) else {}
    payer = account.get("payer")
    return parse_whole((payer if isinstance(payer, dict) else account).get("usd_balance_mc"))
