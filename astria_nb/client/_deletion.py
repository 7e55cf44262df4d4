"""Deletion of a tune: sent once, looked up if its outcome is unknown, and recorded in the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from astria_nb.client import _replies as replies
from astria_nb.client import responses
from astria_nb.client._transport import Transport
from astria_nb.errors import AstriaError, NotFoundError, NotSentError, UnexpectedReplyError


class DeletionLog(Protocol):
    """An experiment log, whose package may not be imported here."""

    def mark_deleted(
        self, service: str, tune_id: int, account: str | None, *, is_confirmed: bool = True
    ) -> bool:
        """Record that a tune was deleted."""


_find_default: list[Callable[[], DeletionLog | None]] = []


def record_deletions_in(find_log: Callable[[], DeletionLog | None]) -> None:
    """Set where deletions are recorded by default.

    Parameters
    ----------
    find_log : callable
        Returns the log, or None if there is none.
    """
    _find_default[:] = [find_log]


def default_log() -> DeletionLog | None:
    """Return the log in which deletions are recorded by default, or None."""
    return _find_default[0]() if _find_default else None


def delete_tune(transport: Transport, tune_id: int) -> bool:
    """Delete a tune.

    Returns
    -------
    bool
        Whether the service has confirmed the deletion. If False, the answer was lost, and the account no
        longer has the tune.

    Raises
    ------
    NotFoundError
        There is no such tune.
    AstriaError
        The tune was not deleted, or it is unknown whether it was.
    """
    path = f"/tunes/{tune_id}"
    failure: AstriaError
    try:
        transport.send_empty("DELETE", path)
        return True
    except AstriaError as error:
        failure = error
    if isinstance(failure, NotFoundError):
        if not failure.page:
            raise failure
        failure = responses.page_error(failure.status, failure.page)
    is_unclear = isinstance(failure, NotSentError | UnexpectedReplyError)
    if is_unclear or getattr(failure, "status", 500) >= 500:
        try:
            replies.get_object(transport, path)
        except NotFoundError as error:
            if not error.page:
                return False  # it was deleted, and the answer was lost
        except AstriaError:
            pass  # the first error is more informative
    raise failure
