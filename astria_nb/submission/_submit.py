"""Submitting a tune: checked, on record before it leaves, and sent once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import pandas as pd

from astria_nb.client.client import Client
from astria_nb.client.deadline import Deadline
from astria_nb.defaults import client_or_default, log_or_default
from astria_nb.errors import Problem, TuneError
from astria_nb.images.preprocessing import Preprocessing
from astria_nb.log import Log
from astria_nb.submission import recovery
from astria_nb.submission.exactly_once import Sending
from astria_nb.tune.encoding import Encoding, OnSent
from astria_nb.tune.pack import Pack
from astria_nb.tune.price import estimate, problem_with_cost
from astria_nb.tune.tune import Tune
from astria_nb.utils.arguments import check_bool, check_callable, check_number
from astria_nb.utils.formatting import short
from astria_nb.utils.progress import Progress, ReportProgress

TIMEOUT_SECONDS = 3600.0
_DAY = 86400


class Submittable(Protocol):
    """Something that knows how to submit itself, as a form does."""

    def submit(self, client: Client | None = None, *, encoding: Encoding | None = None) -> pd.DataFrame:
        """Send the tune and return its row."""


def submit(
    tune: Tune | Submittable,
    client: Client | None = None,
    *,
    encoding: Encoding | None = None,
    log: Log | None = None,
    idempotent: bool | None = None,
    settle: float | None = None,
    max_cost: float | None = None,
    keep_metadata: bool = False,
    max_side: int | None = None,
    timeout: float = TIMEOUT_SECONDS,
    on_sent: OnSent | None = None,
    say: ReportProgress | None = None,
) -> pd.DataFrame:
    """Create a tune, once, and return it as a row.

    The pack is asked for first, so a wrong key, pack or class is found before anything is paid for. Then the
    request is put on record, and sent. A tune whose answer is lost is looked for on the account; what was
    recorded under the same title before is not sent again.

    Parameters
    ----------
    tune : Tune or TuneForm
    client : Client, optional
        Default: your account if a key is configured, else the built-in sandbox; a form has its own.
    encoding : {"multipart", "form", "json"}, optional
        Default: multipart for a tune with files, else JSON.
    log : ExperimentLog, optional
        Where the submission is recorded. Default: ``ASTRIA_NB_LOG``, or ``astria_log.sqlite`` beside the
        notebook.
    idempotent : bool, optional
        What your account is set to. True allows a tune to be sent again that was not found; by default it is
        not.
    settle : float, optional
        Seconds that the service has to finish before a tune whose answer was lost is looked for; default 120.
    max_cost : float, optional
        US dollars; what is estimated to cost more is not sent.
    keep_metadata : bool
        Send images with all that their files tell beside the picture. By default place, time, camera, names
        and words are left out, which changes no pixel; the files stay as they are.
    max_side : int, optional
        Pixels, such as 2048: an image with a longer side is made smaller before it is sent.
    timeout : float
        Seconds for all of it, waits included.
    on_sent : callable, optional
        Called with (bytes sent, bytes in all) during the upload, instead of a progress display.
    say : callable, optional
        Called with a fraction from 0 to 1 and words during waits, instead of a progress display.

    Returns
    -------
    pandas.DataFrame
        One row, as `astria_nb.rows.tune_frame` describes it; times in UTC. A run on existing tunes makes no
        tune: its row has no ``id`` but the ``prompt_ids`` that it made (null where they could not be had).

    Raises
    ------
    TuneError
        The tune cannot be sent in this encoding, the pack has no such class, it costs more than `max_cost`,
        or its title was used for another request; or a form was given what it does not heed. Nothing was
        sent.
    LogError
        It could not be put on record. What was sent by then is on record as being sent, and submitting it
        again looks for it.
    ApiError, NotSentError
        The service refused, or was not reached. Nothing was created, and the title is free.
    OutcomeUnknownError
        The answer was lost and the tune was not found: it may come yet. It is on record, and submitting it
        again looks for it again.

    Notes
    -----
    Which answers mean what, and how long to wait: astria-api, section 8. Interrupt it at will: what is on
    record is settled by the next call, or by ``ExperimentLog.recover``.

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
        if not hasattr(tune, "submit"):
            what = f"{short(tune)} is neither a tune nor a form"
            raise TuneError(Problem("tune", what, "give anb.Tune(…) or a TuneForm"))
        given = {"log": log, "idempotent": idempotent, "settle": settle, "max_cost": max_cost}
        _refuse_for_a_form(given | {"keep_metadata": keep_metadata or None, "max_side": max_side})
        return tune.submit(client, encoding=encoding)
    client, log = client_or_default(client), log_or_default(log)
    settle = recovery.SETTLE_SECONDS if settle is None else settle
    settle = check_number("settle", settle, "seconds", maximum=_DAY)
    timeout = check_number("timeout", timeout, "seconds", maximum=_DAY, allow_zero=False)
    max_cost = None if max_cost is None else check_number("max_cost", max_cost, "US dollars")
    preprocessing = Preprocessing(check_bool("keep_metadata", keep_metadata), max_side)
    check_callable("on_sent", on_sent)
    check_callable("say", say)
    with Progress("Submitting") as progress, Deadline(timeout) as deadline:
        sending = Sending(
            tune, client, log, encoding, check_bool("idempotent", idempotent), settle, deadline,
            on_sent or progress.update_bytes, say or progress.update, preprocessing,
        )  # fmt: skip
        # Encoding comes first: it finds what is wrong on this machine, and opens the files.
        with sending.encoded() as body:
            pack = client.pack(tune.pack)
            _check(tune, pack, max_cost)
            return sending.run(pack, body)


def _refuse_for_a_form(given: Mapping[str, object]) -> None:
    """Refuse what a form would not hear of: it has a log and a limit of its own."""
    problems = [
        Problem(name, "is not heeded by a form", "give it to the TuneForm, or submit form.tune")
        for name, value in given.items()
        if value is not None
    ]
    if problems:
        raise TuneError(*problems)


def _check(tune: Tune, pack: Pack, max_cost: float | None) -> None:
    if problem := pack.problem_with(tune.name):
        raise TuneError(problem)
    if max_cost is not None and (problem := problem_with_cost(estimate(tune, pack), max_cost)):
        raise TuneError(problem)
