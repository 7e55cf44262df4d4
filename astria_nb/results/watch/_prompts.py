"""The current prompts of tunes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from astria_nb import rows
from astria_nb.client import PAGE_SIZE, Client, Json, fetch_latest
from astria_nb.defaults import client_or_default
from astria_nb.errors import (
    ApiError,
    AstriaError,
    NotFoundError,
    NotSentError,
    Problem,
    TooManyRequestsError,
    UnauthorizedError,
    UnreachableError,
)
from astria_nb.results.frames import origin_of, tunes_of
from astria_nb.rows import Rows, ids_in
from astria_nb.utils.warn import warn

_OF_ALL_TUNES = (UnauthorizedError, TooManyRequestsError, UnreachableError)
_MOST_IN_A_ROW = 3  # each attempt may take a minute


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
        The service no longer has some of the tunes; the prompts of the others are returned.

    Raises
    ------
    TuneError
        These are not tunes, or tunes of another service or account.
    NotFoundError
        The service has none of the tunes.
    ApiError, NotSentError
        The service refused, or was not reached.

    Notes
    -----
    ``tune_id`` is the tune's own id, so that prompts can be joined with their rows: ``prompts.merge(rows,
    left_on="tune_id", right_on="id")``. The API's ``tune_id``, which may be the base model (astria-api,
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
    listing = prompts_of(tunes_of(frame, client), client)
    if listing.gone:
        warn(f"skipped: the service no longer has {_names(listing.gone)}")
    return listing.frame


@dataclass(frozen=True, slots=True)
class PromptListing:
    """The prompts of tunes.

    Attributes
    ----------
    frame : pandas.DataFrame
    gone : list of int
        The tunes that the service no longer has.
    failures : dict of int to AstriaError
        Why the prompts of a tune could not be listed, by the tune's id.
    """

    frame: pd.DataFrame
    gone: list[int]
    failures: dict[int, AstriaError]


def prompts_of(frame: pd.DataFrame, client: Client, *, skip_failures: bool = False) -> PromptListing:
    """Return the prompts of tunes.

    Parameters
    ----------
    frame : pandas.DataFrame
        Typed rows of tunes.
    client : Client
    skip_failures : bool
        Continue with the other tunes after one whose prompts cannot be listed, unless it is the third in a
        row or no prompts could be listed: then the cause is not the tune.

    Raises
    ------
    NotFoundError
        The service has none of the tunes.
    ApiError, NotSentError
        The service refused, or was not reached.
    """
    records = frame.to_dict("records")
    prompts_by_id: dict[int, Json | None] = {}
    owners: dict[int, int | None] = {}
    gone: list[int] = []
    failures: dict[int, AstriaError] = {}
    failed_in_a_row = 0
    for row in records:
        if pd.isna(row["id"]):
            continue
        tune_id = int(row["id"])
        try:
            listed = None if row.get("status") == "deleted" else _list_prompts(tune_id, client)
        except _OF_ALL_TUNES:
            raise
        except (ApiError, NotSentError) as error:
            failures[tune_id], failed_in_a_row = error, failed_in_a_row + 1
            if not skip_failures or failed_in_a_row == _MOST_IN_A_ROW:
                raise
            continue
        failed_in_a_row = 0
        if listed is None:
            gone.append(tune_id)
        for prompt in listed or []:
            prompts_by_id[prompt["id"]], owners[prompt["id"]] = prompt, tune_id
    if records and len(gone) + len(failures) == len(records):
        raise next(iter(failures.values()), _none_left(gone, client))
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
    return PromptListing(rows.prompt_frame(latest, owners, origin_of(client)), gone, failures)


def _list_prompts(tune_id: int, client: Client) -> list[Json] | None:
    """Return the prompts of a tune, or None if the service no longer has it. Its id is in each error."""
    try:
        return list(client.prompts(tune_id))
    except NotFoundError:
        return None
    except (ApiError, NotSentError) as error:
        words = f"asked for the prompts of tune {tune_id}"
        error.args = tuple(replace(problem, what=f"{problem.what}, {words}") for problem in error.problems)
        raise


def _none_left(gone: list[int], client: Client) -> NotFoundError:
    what, hint = f"no {_names(gone)} at {client.base_url}", "was it deleted, or created with another client?"
    return NotFoundError(Problem("tune_id", what, hint, kind="not_found"), status=404)


def _names(tune_ids: list[int]) -> str:
    which = ", ".join(map(str, tune_ids[:5])) + (", …" if len(tune_ids) > 5 else "")
    return f"tune {which}" if len(tune_ids) == 1 else f"tunes {which}"
