"""The cost of tunes according to the prices of their packs."""

from __future__ import annotations

from typing import Any

import pandas as pd

from astria_nb.client import Client
from astria_nb.errors import NotFoundError
from astria_nb.tune import Pack

DOLLAR_MC = 100_000  # millicents


def estimates(tunes: pd.DataFrame, client: Client) -> pd.Series[Any]:
    """Return the price of each tune in dollars: the price of its class in its pack, or null if unknown.

    A training that failed costs nothing. Each pack is requested once.

    Parameters
    ----------
    tunes : pandas.DataFrame
        Typed rows.
    client : Client

    Raises
    ------
    ApiError, NotSentError
        A pack could not be fetched. One that was deleted is not an error.
    """
    packs: dict[int, Pack | None] = {}
    dollars = pd.Series(pd.NA, index=tunes.index, dtype="Float64")
    for label, tune in zip(tunes.index, tunes.to_dict("records"), strict=True):
        pack_id = tune["base_pack_id"] if pd.isna(tune["pack"]) else tune["pack"]
        if tune["status"] == "failed":
            dollars[label] = 0.0
        elif not (pd.isna(pack_id) or pd.isna(tune["id"]) or pd.isna(tune["name"])):
            if pack_id not in packs:
                packs[pack_id] = _pack_or_none(int(pack_id), client)
            pack = packs[pack_id]
            price = None if pack is None else pack.price_mc(tune["name"])
            dollars[label] = pd.NA if price is None else price / DOLLAR_MC
    return dollars


def _pack_or_none(pack_id: int, client: Client) -> Pack | None:
    try:
        return client.pack(pack_id)
    except NotFoundError:
        return None
