"""The tunes in an argument, whether they may belong to a client, and their latest state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from astria_nb import rows
from astria_nb.client import Client
from astria_nb.errors import Problem, TuneError
from astria_nb.utils.service_address import is_same_service, recorded_service


def tunes_in(value: object) -> pd.DataFrame:
    """Return rows of tunes, typed; a frame without rows is accepted.

    Parameters
    ----------
    value : object
        As for `astria_nb.rows.typed`.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    TuneError
        The value is something else, such as prompts.

    Examples
    --------
    >>> tunes_in(7)["id"].tolist()
    [7]
    """
    frame = rows.typed(value)
    if rows.are_prompts(frame):
        hint = "pass the rows that submit or wait returned"
        raise TuneError(Problem("frame", "these are prompts, not tunes", hint))
    return frame


def prompts_in(value: object, field: str) -> pd.DataFrame:
    """Return rows of prompts, typed; a frame without rows is accepted.

    Parameters
    ----------
    value : object
        As for `astria_nb.rows.typed`.
    field : str
        The argument's name, for the message.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    TuneError
        The value is something else, such as tunes.
    """
    problems = [Problem(field, "these are not prompts", "pass anb.prompts(rows, client)")]
    try:
        frame = rows.typed(value)
        if rows.are_prompts(frame) or frame.empty:
            return frame
    except TuneError as error:
        if rows.are_prompts(value):  # with an unreadable value
            problems = [replace(problem, field=field) for problem in error.problems]
    raise TuneError(*problems)


def tunes_of(value: object, client: Client) -> pd.DataFrame:
    """Return rows of tunes, typed, unless another service or account than the client's made them.

    Ids belong to one service: another service has other tunes with the same ids.

    Parameters
    ----------
    value : object
        As for `astria_nb.rows.typed`. Rows that do not say where they were made may belong to any service.
    client : Client

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    TuneError
        The value is something else, or another service or account made some of the tunes.
    """
    frame = tunes_in(value)
    is_foreign = ~is_of_service(frame, client)
    if is_foreign.any():
        raise TuneError(_of_another_service(frame, is_foreign, client))
    accounts = frame["account"].dropna().unique().tolist()
    # The account is requested once per process, and only if there is something to compare.
    account = client.account if accounts else None
    if account is not None and (others := [number for number in accounts if number not in ("", account)]):
        what = f"{_name(frame[frame['account'] == others[0]])} made by account {others[0]}"
        hint = "pass a client with the key of that account"
        raise TuneError(Problem("frame", f"{what}, and this client has the key of account {account}", hint))
    return frame


def update_rows(frame: pd.DataFrame, positions: Any, latest: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with some of its rows in a later state.

    Columns that are missing from the later rows keep their values: those of the log, of `submit_many`, and
    the user's own.

    Parameters
    ----------
    frame : pandas.DataFrame
    positions : array-like of int
        Positions of the rows, from 0.
    latest : pandas.DataFrame
        The same number of rows, in that order; their index does not matter.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"id": [7, 8], "status": ["queued", "queued"], "customer": ["Ann", "Bea"]})
    >>> update_rows(frame, [1], pd.DataFrame({"id": [8], "status": ["trained"]})).to_numpy().tolist()
    [[7, 'queued', 'Ann'], [8, 'trained', 'Bea']]
    """
    positions = np.asarray(positions, dtype=np.int64)
    latest = latest.set_axis(frame.index[positions])
    others = frame.columns.difference(latest.columns, sort=False)
    if len(others):
        before = frame[others].iloc[positions]
        latest = pd.concat([latest, before.set_axis(latest.index)], axis=1)
    unchanged = np.setdiff1d(np.arange(len(frame)), positions)
    both = pd.concat([frame.iloc[unchanged], latest])
    return both.iloc[np.argsort(np.concatenate([unchanged, positions]), kind="stable")].copy()


def is_of_service(frame: pd.DataFrame, client: Client) -> pd.Series[bool]:
    """Return for each row whether the service of a client may have made it.

    Parameters
    ----------
    frame : pandas.DataFrame
        Typed rows.
    client : Client

    Returns
    -------
    pandas.Series of bool
    """
    services = frame["service"].dropna().unique()
    others = [service for service in services if service and not is_same_service(service, client.service)]
    return ~frame["service"].isin(others)


def origin_of(client: Client) -> dict[str, str | None]:
    """Return the ``service`` and the ``account`` of the rows of a client.

    Parameters
    ----------
    client : Client

    Returns
    -------
    dict
    """
    return {"service": recorded_service(client.service), "account": client.known_account}


def _of_another_service(frame: pd.DataFrame, is_foreign: pd.Series[bool], client: Client) -> Problem:
    foreign, own = frame[is_foreign], frame["service"][~is_foreign].dropna()
    service = str(foreign["service"].iloc[0])
    url, own_url = service.partition(" ")[0], recorded_service(client.base_url)
    place = f"{url}, and this client asks {own_url}"
    if url == own_url:  # the end of the key differs
        place = f"another sandbox that had the address {url}"
    what = f"{_name(foreign)} made at {place}"
    if len(own):
        return Problem("frame", what, f"select this client's: rows[rows['service'] == {own.iloc[0]!r}]")
    hint = f"pass the client of {url}"
    if url.startswith("http://"):
        hint = "pass the client of that sandbox; if it is gone, submit again"
    return Problem("frame", what, f"{hint}; if it is the same one, pass rows.drop(columns='service')")


def _name(frame: pd.DataFrame) -> str:
    if len(frame) > 1:
        return f"{len(frame)} tunes were"
    tune_id = frame["id"].iloc[0]
    return "a run was" if pd.isna(tune_id) else f"tune {tune_id} was"
