"""Options of one submission, which the public functions pass to the engine."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Literal, Protocol

from astria_nb.client import Client
from astria_nb.images import Preprocessing
from astria_nb.log import Log
from astria_nb.submission import _account as account
from astria_nb.tune import Encoding, Estimate, OnSent, Pack, Request
from astria_nb.utils.interrupts import in_caller
from astria_nb.utils.progress import ReportProgress
from astria_nb.utils.warn import warn

TIMEOUT_SECONDS = 3600.0
PACK_MAX_AGE_SECONDS = 60.0
"""A pack that was fetched this recently is not fetched again; its price hardly changes meanwhile."""


Look = Callable[[Client, Request], account.AccountState]
Repeat = Literal["announce", "return", "ask", "replay", "send"]


def no_form(pack: Pack, fetched_at: float) -> None:
    """Ignore a pack that no form shows."""


class SubmitObserver(Protocol):
    """Follows a submission, on the thread that called `submit`; an exception that it raises ends the call."""

    def on_sent(self, sent: int, total: int, /) -> None:
        """Receive the bytes sent so far and the size of the request, after each block of the upload."""

    def on_wait(self, fraction: float, text: str, /) -> None:
        """Receive the completed fraction of a wait, from 0 to 1, and a text that describes it."""

    def on_notice(self, text: str, /) -> None:
        """Receive a notice for the user, such as that nothing had to be sent."""


@dataclass(frozen=True, slots=True)
class CallbackObserver:
    """A `SubmitObserver` made of two functions, which shows notices as warnings."""

    on_sent: OnSent
    on_wait: ReportProgress

    def on_notice(self, text: str, /) -> None:
        """Warn the user; if warnings are errors, the notice goes to the logging module."""
        warn(text, is_paid=True)


class ObserverInCaller:
    """A `SubmitObserver` that calls another one on the thread that called `submit`.

    Parameters
    ----------
    observer : SubmitObserver
    """

    def __init__(self, observer: SubmitObserver) -> None:
        self.on_sent = in_caller(observer.on_sent)
        self.on_wait = in_caller(observer.on_wait)
        self.on_notice = in_caller(observer.on_notice)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitOptions:
    """Everything about a submission except the tune, already validated.

    Attributes
    ----------
    client : Client
    log : Log
    observer : SubmitObserver
    encoding : {"multipart", "form", "json"} or None
        None: multipart for a tune with files, else JSON.
    preprocessing : Preprocessing
    max_cost : float or None
        US dollars; a tune that is estimated to cost more is not sent.
    settle : float or None
        Seconds to wait before looking for a tune whose answer was lost. None: `_settle_time.SETTLE_SECONDS`.
    timeout : float
        Seconds for the whole submission, including waits.
    idempotent : bool
        Whether the account recognises a repeated title, so that a tune that was not found is sent again.
    repeat : {"announce", "return", "ask", "replay", "send"}
        What to do if the same request was sent before under another title: report it and send it, return the
        row of the earlier submission, raise `RepeatedRequest` before anything is sent, return the row only if
        the answer of the earlier one was lost, or just send it.
    warns : bool
        Whether to warn about addresses that the service probably cannot use, and about a balance that is too
        low, just before the request is recorded and sent. False if a form has shown the remarks.
    waits : bool
        Whether to wait for the outcome after a lost answer, and after a 429. False in a batch, which does
        this for all of its tunes at once.
    slot : context manager
        Entered before a request is sent, and left when it is answered: it limits the number of concurrent
        requests. A request without a title is not recorded before that, either.
    look : callable
        Returns the state of the account; see `astria_nb.submission._account.look`.
    pack : Pack or None
        The tune's pack, if `client` returned it less than `PACK_MAX_AGE_SECONDS` ago. None: it is fetched, as
        is required for `max_cost`.
    shown : Estimate or None
        The price that the user has seen; a tune that costs more is not sent. None: no price was shown.
    on_pack : callable
        Called before anything is sent with a pack that is used in place of `pack`, and the time of
        ``time.monotonic`` when it was fetched, so that a form can update its price.
    """

    client: Client
    log: Log
    observer: SubmitObserver
    encoding: Encoding | None = None
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    max_cost: float | None = None
    settle: float | None = None
    timeout: float = TIMEOUT_SECONDS
    idempotent: bool = False
    repeat: Repeat = "announce"
    warns: bool = True
    waits: bool = True
    slot: AbstractContextManager[object] = field(default_factory=nullcontext)
    look: Look = account.look
    pack: Pack | None = None
    shown: Estimate | None = None
    on_pack: Callable[[Pack, float], None] = no_form
