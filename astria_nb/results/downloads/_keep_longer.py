"""Keeping tunes beyond the thirty days after which the service deletes them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from astria_nb.client import Client, Json
from astria_nb.defaults import client_or_default
from astria_nb.errors import (
    AstriaError,
    NotSentError,
    OutcomeUnknownError,
    Problem,
    TooManyRequestsError,
    TuneError,
    UnauthorizedError,
)
from astria_nb.results.downloads._auto_extend import SettingChange, settle
from astria_nb.results.frames import origin_of, tunes_of, update_rows
from astria_nb.rows import Rows, own_fields, tune_frame
from astria_nb.tune import dollars, in_mc
from astria_nb.utils.arguments import check_bool, check_max_cost
from astria_nb.utils.progress import Progress

_OF_ALL_TUNES = (UnauthorizedError, TooManyRequestsError, NotSentError)
EXTENSION_MC = 50_000
"""The service's charge per tune and month, in millicents (astria-api, section 13)."""


def keep_longer(
    frame: Rows,
    client: Client | None = None,
    *,
    auto_extend: bool = True,
    max_cost: float | None = None,
) -> pd.DataFrame:
    """Keep tunes and their pictures on the service beyond their expiry, for about $0.50 a tune and month.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `submit`, `wait` or `expiring`, in any form that `astria_nb.rows.typed` reads. A run on
        existing tunes, which has no tune, is skipped.
    client : Client, optional
        Default as in `submit`.
    auto_extend : bool
        False stops keeping them: each is deleted when the paid time is over.
    max_cost : float, optional
        Limit for the cost of all of them a month, in US dollars. Nothing is sent if they cost more.

    Returns
    -------
    pandas.DataFrame
        The same rows in their latest state, with `auto_extend` in the column of that name. ``expires_at``
        moves when the service extends a tune, which may be at the end of its thirty days.

    Raises
    ------
    TuneError
        These are not tunes, or tunes of another service or account.
    AstriaError
        The price is above `max_cost`, or tunes have expired, are gone, or were refused, with a problem for
        each. The others were changed.
    UnauthorizedError, TooManyRequestsError, NotSentError
        The key was refused, the service asked to wait, or it could not be reached, which ends the call. The
        last problem names the tunes that were not changed.
    OutcomeUnknownError
        It is unknown whether a tune was changed: the service did not say so, and its state does not show it.
        The other problems are included, too.

    Notes
    -----
    This is a setting of the tune (``auto_extend``), not a purchase, and stays until it is turned off. The
    setting is looked up first, and nothing is sent for a tune that has it already. A request is sent once; if
    its answer is lost, the tune is looked up.

    Examples
    --------
    >>> import astria_nb as anb
    >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> with anb.Sandbox(deterministic=True) as sandbox:
    ...     client = sandbox.client()
    ...     row = anb.wait(anb.submit(tune, client), client, poll=0.01)
    ...     row = anb.keep_longer(row, client, max_cost=1)
    ...     sandbox.advance(40 * 86400)
    ...     client.tune(row.loc[0, "id"])["expires_at"]
    '2026-03-02T12:14:00.000Z'
    """
    client = client_or_default(client)
    if auto_extend is None:  # a missing value must not turn the setting off
        raise AstriaError(Problem("auto_extend", "None is not a truth value", "give True or False"))
    auto_extend = check_bool("auto_extend", auto_extend)
    frame = tunes_of(frame, client)
    has_tune = frame["id"].notna()
    rows = frame[has_tune].to_dict("records")
    tune_ids = list(dict.fromkeys(int(row["id"]) for row in rows))
    if not rows and len(frame):
        raise TuneError(Problem("frame", "these runs have no tunes of their own", "pass the rows of tunes"))
    if auto_extend:
        _check_cost(len(tune_ids), check_max_cost(max_cost))
    changes, lost = dict[int, SettingChange](), list[SettingChange]()
    problems: dict[int, AstriaError] = {}
    stopped: AstriaError | None = None
    with Progress(f"{'Keeping' if auto_extend else 'Releasing'} {_tunes(len(tune_ids))}") as progress:
        for number, tune_id in enumerate(tune_ids):
            progress.update(number / len(tune_ids), f"{number} of {_tunes(len(tune_ids))}")
            change = SettingChange(client, tune_id, auto_extend)
            try:
                if not change.send():
                    lost.append(change)
                changes[tune_id] = change
            except AstriaError as error:
                problems[tune_id] = error
                if isinstance(error, _OF_ALL_TUNES):  # the others would fail in the same way
                    stopped = error
                    break
        settle(lost, progress.update)
    tunes: dict[int, Json] = {}
    for tune_id, change in changes.items():
        try:
            tunes[tune_id] = change.result()
        except AstriaError as error:
            problems[tune_id] = error
    if problems:
        raise _failure(tune_ids, problems, stopped)
    records = [{**tunes[int(row["id"])], **origin_of(client), **own_fields(row)} for row in rows]
    return update_rows(frame, np.flatnonzero(has_tune), tune_frame(records, client.now()))


def price_text(count: int = 1) -> str:
    """Return the cost of keeping a number of tunes, such as ``about $0.50 a month``."""
    return f"about {dollars(count * EXTENSION_MC)} a month"


def _tunes(count: int) -> str:
    return "1 tune" if count == 1 else f"{count} tunes"


def _failure(tune_ids: list[int], errors: dict[int, AstriaError], stopped: AstriaError | None) -> AstriaError:
    """Return one error for all tunes that were not changed.

    Parameters
    ----------
    tune_ids : list of int
        All tunes to change, in order.
    errors : dict of int to AstriaError
        Errors by the tune's id.
    stopped : AstriaError or None
        The tune whose error ended the call before the tunes after it.
    """
    problems = [problem for id_ in tune_ids if id_ in errors for problem in errors[id_].problems]
    if stopped is not None and len(tune_ids) > 1:
        rest = tune_ids[next(at for at, id_ in enumerate(tune_ids) if errors.get(id_) is stopped) :]
        which, them = f"tune {rest[0]} was", "it"
        if len(rest) > 1:
            which, them = f"tunes {', '.join(map(str, rest))} were", "them"
        problems.append(Problem("id", f"{which} not changed", f"call keep_longer again for {them}"))
    if any(isinstance(error, OutcomeUnknownError) for error in errors.values()):
        return OutcomeUnknownError(*problems)
    if stopped is None:
        return AstriaError(*problems)
    stopped.args = tuple(problems)
    return stopped


def _check_cost(count: int, max_cost: float | None) -> None:
    if max_cost is not None and count * EXTENSION_MC > in_mc(max_cost):
        what = f"is ${max_cost:.2f}, and keeping {_tunes(count)} costs {price_text(count)}"
        raise AstriaError(Problem("max_cost", what, "raise it, or select fewer rows"))
