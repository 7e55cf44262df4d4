"""Submit a tune: check the arguments, then send it exactly once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from astria_nb.client import Client
from astria_nb.defaults import client_or_default, log_or_default
from astria_nb.errors import Problem, TuneError
from astria_nb.images import Preprocessing
from astria_nb.log import Log
from astria_nb.submission._engine import submit_once
from astria_nb.submission._options import TIMEOUT_SECONDS, CallbackObserver, SubmitOptions
from astria_nb.tune import Encoding, OnSent, Tune
from astria_nb.utils.arguments import check_bool, check_callable, check_max_cost, check_number
from astria_nb.utils.formatting import short
from astria_nb.utils.interrupts import shielded
from astria_nb.utils.progress import Progress, ReportProgress

if TYPE_CHECKING:
    import pandas as pd

_DAY = 86400


class Submittable(Protocol):
    """An object that can submit itself, such as a form."""

    def submit(self, client: Client | None = None, *, encoding: Encoding | None = None) -> pd.DataFrame:
        """Submit the tune and return its row."""


def submit(
    tune: Tune | Submittable,
    client: Client | None = None,
    *,
    encoding: Encoding | None = None,
    log: Log | None = None,
    idempotent: bool | None = None,
    once: bool = False,
    settle: float | None = None,
    max_cost: float | None = None,
    keep_metadata: bool = False,
    max_side: int | None = None,
    keep_damaged: bool = False,
    timeout: float = TIMEOUT_SECONDS,
    on_sent: OnSent | None = None,
    say: ReportProgress | None = None,
) -> pd.DataFrame:
    """Create a tune, once, and return it as a row.

    The pack is fetched first, so that a wrong key, pack or class is found before anything is paid for. It is
    not fetched again if this client did so in the last minute, unless `max_cost` is passed. Then the request
    is recorded in the log, and sent. If the answer is lost, the tune is looked up on the account. A recorded
    title is not sent again. Before anything is sent, a warning reports addresses that the service probably
    cannot use, such as a link to a page of Google Drive. Before an upload, a warning reports a balance that
    is too low, if the service reports it.

    Parameters
    ----------
    tune : Tune or TuneForm
    client : Client, optional
        Default: your account if an API key is configured, else the built-in sandbox; the first call then
        warns about it. A form has its own client.
    encoding : {"multipart", "form", "json"}, optional
        Default: multipart for a tune with files, else JSON.
    log : ExperimentLog, optional
        The log that records the submission. Default: ``ASTRIA_NB_LOG``, or ``astria_log.sqlite`` beside the
        notebook.
    idempotent : bool, optional
        Whether your account has idempotency turned on. If True, a tune that was not found on the account is
        sent again. Default: False.
    once : bool
        If the same photos (or addresses), pack and fields were submitted before under another title, return
        the row of that tune instead of paying for another one. By default the request is sent, and a warning
        says when it was sent before, as which tune, and at what price. Requests count as the same if they
        differ only in title, callbacks, file names, the order of images or the encoding. Runs on existing
        tunes are compared, too.
    settle : float, optional
        Seconds to wait before looking for a tune whose answer was lost. Default: 120.
    max_cost : float, optional
        US dollars; a tune that is estimated to cost more is not sent.
    keep_metadata : bool
        Upload images with all their metadata, and under their own names. By default location, time, camera,
        names and captions are removed without changing a pixel, and the images are named ``1.jpg``,
        ``2.jpg``. The files on disk are not changed.
    max_side : int, optional
        Pixels, such as 2048: larger images are scaled down to this length of the longer side. Default: no
        limit.
    keep_damaged : bool
        Also upload images that cannot be fully decoded, or that cannot be checked. By default they are
        refused. Checking takes half as long as decoding.
    timeout : float
        Seconds for the whole call, including waits. Default: 3600.
    on_sent : callable, optional
        Called with (bytes sent, bytes in all) during the upload, instead of a progress display.
    say : callable, optional
        Called with a fraction from 0 to 1 and a text during waits, instead of a progress display.

    Returns
    -------
    pandas.DataFrame
        One row, as described in `astria_nb.rows.tune_frame`; times are in UTC. A run on existing tunes does
        not create a tune: its row has no ``id``, but the ``prompt_ids`` that it created (null if they cannot
        be listed).

    Raises
    ------
    TuneError
        The tune cannot be sent in this encoding, the pack does not have the class, the tune costs more than
        `max_cost`, its title was used for a different request, or an option is ignored by a form. Nothing was
        sent.
    LogError
        The submission could not be recorded. If the tune was already sent, it is recorded as being sent, and
        submitting it again looks it up.
    ApiError, NotSentError
        The service refused the request, or could not be reached. Nothing was created, and the title can be
        used again.
    OutcomeUnknownError
        The answer was lost and the tune was not found, but it may still appear. It is recorded; submitting it
        again repeats the look-up.

    Notes
    -----
    For the meaning of each answer, and how long to wait, see astria-api, section 8. The call can be
    interrupted at any time: the next call, or ``ExperimentLog.recover``, settles the recorded submission.

    Examples
    --------
    >>> import astria_nb as anb
    >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> with anb.Sandbox(deterministic=True) as sandbox:
    ...     row = anb.submit(tune, sandbox.client())
    >>> print(*row.loc[0, ["title", "pack", "status", "encoding"]])
    t 43 queued json
    """
    if not isinstance(tune, Tune):
        _refuse_for_a_form(
            tune,
            log=log,
            idempotent=idempotent,
            settle=settle,
            max_cost=max_cost,
            keep_metadata=keep_metadata or None,
            max_side=max_side,
            keep_damaged=keep_damaged or None,
        )
        more = {"once": True} if check_bool("once", once) else {}  # other forms do not need it
        return tune.submit(client, encoding=encoding, **more)
    check_callable("on_sent", on_sent, arguments=2)
    check_callable("say", say, arguments=2)
    progress = Progress("Submitting")
    observer = CallbackObserver(on_sent or progress.update_bytes, say or progress.update)

    def options() -> SubmitOptions:
        return SubmitOptions(
            client=client_or_default(client, pays=True),
            log=log_or_default(log),
            observer=observer,
            encoding=encoding,
            preprocessing=Preprocessing(keep_metadata, max_side, keep_damaged),
            max_cost=check_max_cost(max_cost),
            settle=None if settle is None else check_number("settle", settle, "seconds", maximum=_DAY),
            timeout=check_number("timeout", timeout, "seconds", maximum=_DAY, allow_zero=False),
            idempotent=check_bool("idempotent", idempotent),
            repeat="return" if check_bool("once", once) else "announce",
        )

    def send() -> pd.DataFrame:
        with progress:
            return submit_once(tune, options())

    return shielded(send)  # an interrupt after this would lose the row


def _refuse_for_a_form(form: object, **options: object) -> None:
    """Refuse options that have no effect on a form, which has its own log and limits."""
    if not hasattr(form, "submit"):
        what = f"{short(form)} is neither a tune nor a form"
        raise TuneError(Problem("tune", what, "give anb.Tune(…) or a TuneForm"))
    problems = [
        Problem(name, "is ignored by a form", "give it to the TuneForm, or submit form.tune")
        for name, value in options.items()
        if value is not None
    ]
    if problems:
        raise TuneError(*problems)
