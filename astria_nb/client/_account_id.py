"""Which account a key belongs to, as an experiment log tells accounts apart."""

from __future__ import annotations

import threading

from astria_nb.client._api_key import ApiKey
from astria_nb.client._transport import Transport
from astria_nb.client.deadline import Deadline
from astria_nb.errors import ApiError, AstriaError, ServerError, TooManyRequestsError

# What was told for an address and a key: `submit` makes a client for each call that is given none.
_remembered: dict[tuple[str, ApiKey], str] = {}
_SECONDS = 10.0  # it comes before each first submission, and must not delay one for long


class AccountId:
    """The id of an account, asked for once in a process (astria-api, section 2).

    Parameters
    ----------
    transport : Transport

    Attributes
    ----------
    known : str or None
        None before it was asked for, and if the service does not tell it.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._lock = threading.Lock()
        self.known: str | None = _remembered.get((transport.base_url, transport.key))
        self._is_answered = self.known is not None

    def get(self) -> str | None:
        """Return the id, or None if the service does not tell it, or cannot be reached now; not retried."""
        with self._lock:
            if not self._is_answered:
                self._ask()
            return self.known

    def _ask(self) -> None:
        try:
            with Deadline(_SECONDS):
                self.known = _id_in(self._transport.get_once("/users", {}))
            if self.known is not None:
                _remembered[self._transport.base_url, self._transport.key] = self.known
        except (ServerError, TooManyRequestsError):
            return  # the next call may be answered
        except AstriaError as error:
            self._is_answered = isinstance(error, ApiError)
            return
        self._is_answered = True


def _id_in(reply: object) -> str | None:
    id_ = reply.get("id") if isinstance(reply, dict) else None
    is_id = isinstance(id_, str | int) and not isinstance(id_, bool) and str(id_).strip()
    return str(id_).strip() if is_id else None
