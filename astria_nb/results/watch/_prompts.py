"""The prompts of tunes, at this moment."""

from __future__ import annotations

import pandas as pd

from astria_nb import rows
from astria_nb.client import PAGE_SIZE, Client, Json, fetch_latest
from astria_nb.defaults import client_or_default
from astria_nb.errors import NotFoundError, Problem
from astria_nb.results.frames import origin_of, tunes_of
from astria_nb.rows import Rows, ids_in
from astria_nb.utils.warn import warn


def prompts(frame: Rows, client: Client | None = None) -> pd.DataFrame:
    """Return the prompts of tunes, oldest first: one typed row each, with the addresses of its pictures.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `submit` or `wait`, in any form that `astria_nb.rows.typed` reads. For a run on existing
        tunes, only the prompts made by that run.
    client : Client, optional
        Default as in `submit`.

    Returns
    -------
    pandas.DataFrame
        Times are in UTC.

    Warns
    -----
    UserWarning
        The service no longer has some of the tunes; those of the others are returned.

    Raises
    ------
    TuneError
        These are no tunes, or tunes of another service or account.
    NotFoundError
        The service has none of the tunes.
    ApiError, NotSentError
        The service refused, or was not reached.

    Notes
    -----
    ``tune_id`` is the tune's own id, so that prompts join to their rows: ``prompts.merge(rows,
    left_on="tune_id", right_on="id")``. What the API calls so, which may be the base model (astria-api,
    section 6), is ``base_tune_id``.

    Examples
    --------
    >>> import astria_nb as anb
    >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> with anb.Sandbox(deterministic=True) as sandbox:
    ...     client = sandbox.client()
    ...     prompts = anb.prompts(anb.submit(tune, client), client)
    >>> len(prompts), prompts.loc[0, "status"]
    (8, 'pending')
    """
    client = client_or_default(client)
    frame, gone = prompts_of(tunes_of(frame, client), client)
    if gone:
        warn(f"left out: the service no longer has {_names(gone)}")
    return frame


def prompts_of(frame: pd.DataFrame, client: Client) -> tuple[pd.DataFrame, list[int]]:
    """Return the prompts of tunes, and the ids of tunes that the service no longer has.

    Parameters
    ----------
    frame : pandas.DataFrame
        Typed rows of tunes.
    client : Client

    Raises
    ------
    NotFoundError
        The service has none of the tunes.
    ApiError, NotSentError
        The service refused, or was not reached.
    """
    records = frame.to_dict("records")
    tunes = [row for row in records if pd.notna(row["id"])]
    prompts_by_id: dict[int, Json | None] = {}
    owners: dict[int, int | None] = {}
    gone: list[int] = []
    for row in tunes:
        tune_id = int(row["id"])
        if row.get("status") == "deleted":
            gone.append(tune_id)
            continue
        try:
            for prompt in client.prompts(tune_id):
                prompts_by_id[prompt["id"]], owners[prompt["id"]] = prompt, tune_id
        except NotFoundError:
            gone.append(tune_id)
    if records and len(gone) == len(records):
        raise _none_left(gone, client)
    runs = [row for row in records if pd.isna(row["id"])]
    used_ids = {
        int(key): ids_in(row.get("tune_ids")) for row in runs for key in ids_in(row.get("prompt_ids"))
    }
    of_runs = fetch_latest(
        used_ids, lambda before: client.prompts(before_id=before, limit=PAGE_SIZE), client.prompt
    )
    prompts_by_id |= of_runs
    owners |= {key: rows.tune_id_of(prompt, used_ids[key]) for key, prompt in of_runs.items() if prompt}
    latest = [prompt for _, prompt in sorted(prompts_by_id.items()) if prompt]
    return rows.prompt_frame(latest, owners, origin_of(client)), gone


def _none_left(gone: list[int], client: Client) -> NotFoundError:
    what, hint = f"no {_names(gone)} at {client.base_url}", "was it deleted, or created with another client?"
    return NotFoundError(Problem("tune_id", what, hint, kind="not_found"), status=404)


def _names(tune_ids: list[int]) -> str:
    which = ", ".join(map(str, tune_ids[:5])) + (", …" if len(tune_ids) > 5 else "")
    return f"tune {which}" if len(tune_ids) == 1 else f"tunes {which}"
