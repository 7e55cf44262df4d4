"""Keeping tunes beyond the thirty days after which the service deletes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from astria_nb.client import Client, Json
from astria_nb.defaults import client_or_default
from astria_nb.errors import (
    AstriaError,
    NotSentError,
    OutcomeUnknownError,
    Problem,
    TuneError,
    UnauthorizedError,
)
from astria_nb.results.frames import origin_of, tunes_of, update_rows
from astria_nb.rows import Rows, own_fields, tune_frame, tune_status
from astria_nb.tune import dollars, in_mc
from astria_nb.utils.arguments import check_bool, check_max_cost
from astria_nb.utils.arrow import parse_time
from astria_nb.utils.progress import Progress

EXTENSION_MC = 50_000
"""What the service charges for a tune and month, in millicents (astria-api, section 13)."""
_TRUTH = {"true": True, "1": True, "false": False, "0": False}  # some replies have text or a number


def keep_longer(
    frame: Rows,
    client: Client | None = None,
    *,
    auto_extend: bool = True,
    max_cost: float | None = None,
) -> pd.DataFrame:
    """Let the service keep tunes and their pictures beyond their expiry, for about $0.50 a tune and month.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `submit`, `wait` or `expiring`, in any form that `astria_nb.rows.typed` reads. A run on
        existing tunes, which has no tune of its own, is left out.
    client : Client, optional
        Default as in `submit`.
    auto_extend : bool
        False stops keeping them: each is deleted when the time is over that was paid for.
    max_cost : float, optional
        What all of them may cost a month, in US dollars. Nothing is sent if it is more.

    Returns
    -------
    pandas.DataFrame
        The same rows in their latest state, with `auto_extend` in the column of that name. ``expires_at``
        moves when the service extends a tune, which may be at the end of its thirty days.

    Raises
    ------
    TuneError
        These are no tunes, or tunes of another service or account.
    AstriaError
        The price is above `max_cost`, or a tune has expired, is gone, or was refused: a problem for each. The
        others were changed.
    OutcomeUnknownError
        The service did not say whether a tune was changed, and its state does not tell either.

    Notes
    -----
    It is a setting of the tune (``auto_extend``), not a purchase, and stays until it is taken back. The
    service is asked for it first, and nothing is sent for a tune that has it already. A request is sent
    once; if its answer is lost, the tune is looked up.

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
    if auto_extend is None:  # a value that is missing must not end what is kept
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
    tunes: dict[int, Json] = {}
    problems: list[AstriaError] = []
    with Progress(f"{'Keeping' if auto_extend else 'Releasing'} {_tunes(len(tune_ids))}") as progress:
        for number, tune_id in enumerate(tune_ids):
            progress.update(number / len(tune_ids), f"{number} of {_tunes(len(tune_ids))}")
            try:
                tunes[tune_id] = _change(client, tune_id, auto_extend)
            except AstriaError as error:
                problems.append(error)
                if isinstance(error, UnauthorizedError | NotSentError):
                    break  # as it would be for the others
    if problems:
        is_unknown = any(isinstance(error, OutcomeUnknownError) for error in problems)
        kind = OutcomeUnknownError if is_unknown else AstriaError
        raise kind(*(problem for error in problems for problem in error.problems))
    records = [{**tunes[int(row["id"])], **origin_of(client), **own_fields(row)} for row in rows]
    return update_rows(frame, np.flatnonzero(has_tune), tune_frame(records, client.now()))


def is_kept(tune: Mapping[Any, Any]) -> bool | None:
    """Return whether the service keeps a tune beyond its expiry, or None if the tune does not say it.

    Parameters
    ----------
    tune : mapping
        The API's JSON, or a row.

    Examples
    --------
    >>> is_kept({"auto_extend": True}), is_kept({"auto_extend": "false"}), is_kept({"auto_extend": None})
    (True, False, None)
    """
    return _TRUTH.get(str(tune.get("auto_extend")).lower())


def price_text(count: int = 1) -> str:
    """Return what it costs to keep so many tunes, such as ``about $0.50 a month``."""
    return f"about {dollars(count * EXTENSION_MC)} a month"


def _tunes(count: int) -> str:
    return "1 tune" if count == 1 else f"{count} tunes"


def _check_cost(count: int, max_cost: float | None) -> None:
    if max_cost is not None and count * EXTENSION_MC > in_mc(max_cost):
        what = f"is ${max_cost:.2f}, and keeping {_tunes(count)} costs {price_text(count)}"
        raise AstriaError(Problem("max_cost", what, "raise it, or select fewer rows"))


def _change(client: Client, tune_id: int, auto_extend: bool) -> Json:
    """Change a tune unless it is as it should be, and return it."""
    before = client.tune(tune_id)
    if is_kept(before) is auto_extend:
        return {**before, "auto_extend": auto_extend}
    if auto_extend and tune_status(before, client.now()) == "expired":
        what = f"tune {tune_id} has expired, and its pictures are deleted"
        raise AstriaError(Problem("id", what, "leave it out"))
    try:
        client.update_tune(tune_id, auto_extend=auto_extend)
        reason = ""
    except OutcomeUnknownError as error:
        reason = error.reason or "no answer"
    after = _look_up(client, tune_id) or before
    # An expiry that moved was paid for, whatever the setting says: it must not be asked for again.
    is_changed = is_kept(after) is auto_extend or (auto_extend and 0 < _expiry(before) < _expiry(after))
    if is_changed or (is_kept(after) is None and not reason):
        return {**after, "auto_extend": auto_extend}
    if is_kept(after) is not None and after is not before:
        what = f"tune {tune_id} was not changed ({reason or 'the service kept its setting'})"
        raise AstriaError(Problem("id", what, "call keep_longer again"))
    what = f"it is unknown whether tune {tune_id} was changed ({reason})"
    raise OutcomeUnknownError(Problem("id", what, "look at its page on the service before you try again"))


def _look_up(client: Client, tune_id: int) -> Json | None:
    """Return the state of a tune, or None if the service does not answer: what was done is done."""
    try:
        return client.tune(tune_id)
    except AstriaError:
        return None


def _expiry(tune: Json) -> Any:
    expires_at = parse_time(tune.get("expires_at"))
    return 0.0 if expires_at is None else expires_at.timestamp()
