"""The only place that polls: waiting for tunes, and their prompts."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable
from typing import Any, Literal

import pandas as pd

from astria_nb import rows
from astria_nb.client.by_id import latest
from astria_nb.client.client import Client, Json
from astria_nb.defaults import client_or_default, log_or_default
from astria_nb.errors import LogError, Problem, TuneError
from astria_nb.log import Log
from astria_nb.results.watch.poller import with_ids
from astria_nb.results.watch.polling import poll_until_finished
from astria_nb.results.watch.states import PAGE_SIZE
from astria_nb.utils.arguments import number
from astria_nb.utils.formatting import duration, short
from astria_nb.utils.progress import Progress

_GOALS = {"trained": "be trained", "prompts": "have all pictures"}
_TICK = 1.0  # seconds between two updates of the display


def wait(
    frame: pd.DataFrame,
    client: Client | None = None,
    *,
    until: Literal["trained", "prompts"] = "trained",
    timeout: float | None = None,
    poll: float = 0.5,
    log: Log | None = None,
) -> pd.DataFrame:
    """Wait for tunes and return their rows in the latest state. Interrupt it at will, and call it again.

    Hundreds of tunes are asked for by the page, so a look at a thousand takes nine requests.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row or many, as `submit` returns them.
    client : Client, optional
        Default as in `submit`.
    until : {"trained", "prompts"}
        Until the models are trained, or until their pictures are there as well.
    timeout : float, optional
        Seconds to wait at most; the rows are returned as they are then.
    poll : float
        Seconds between the first two looks. The interval grows from there to a minute, is longer where a
        look takes many requests or the service answers 429, and ends when a tune has its ``eta``.
    log : ExperimentLog, optional
        Where each new state is recorded. Default: the one of `submit`, if there is one.

    Returns
    -------
    pandas.DataFrame
        The same rows. A tune that failed or expired ends the wait for its row, and so does one that was
        deleted: its ``status`` is ``deleted``. The others go on.

    Raises
    ------
    ApiError, NotSentError
        The service refused a look, or did not answer for more than ten minutes; the rows are not lost, call
        it again.

    Notes
    -----
    The API has no field for the state; it is derived (astria-api, section 6).

    Examples
    --------
    >>> import astria_nb as anb
    >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> with anb.Sandbox(deterministic=True) as sandbox:
    ...     client = sandbox.client()
    ...     row = anb.wait(anb.submit(tune, client), client, poll=0.01)
    >>> row.loc[0, "status"]
    'trained'
    """
    if not _records(frame, "id", "status"):
        return frame
    client = client_or_default(client)
    if not isinstance(until, str) or until not in _GOALS:
        raise TuneError(Problem("until", f"{short(until)} is not known", f"choose {' or '.join(_GOALS)}"))
    timeout = None if timeout is None else number("timeout", timeout, "seconds")
    poll = number("poll", poll, "seconds")
    log = log_or_default(log)
    started, text, finished = time.monotonic(), "", 0.0
    noun = "1 tune" if len(frame) == 1 else f"{len(frame)} tunes"
    with Progress(f"Waiting for {noun} to {_GOALS[until]}", patience=0) as progress:

        def show() -> None:
            progress.show(finished, f"{text} · {duration(time.monotonic() - started)}")

        def rest(seconds: float) -> None:
            left = seconds if timeout is None else min(seconds, timeout - (time.monotonic() - started))
            end = time.monotonic() + left
            while (left := end - time.monotonic()) > 0:
                time.sleep(min(left, _TICK))
                show()

        for result in poll_until_finished(frame, client, until, poll=poll, sleep=rest):
            frame, finished = result.frame, result.fraction_done
            left = "" if result.seconds_left is None else f"about {duration(result.seconds_left)} left"
            text = ", ".join(filter(None, (result.text, left, result.failure)))
            show()
            note(result.changed_tunes, client, log)
            if timeout is not None and time.monotonic() - started >= timeout:
                break
    return frame


def note(news: Iterable[Json], client: Client, log: Log) -> None:
    """Record in a log that is there what was seen of the tunes that it knows."""
    try:
        for tune in news if log.path.exists() else ():
            known = log.find(client.service, str(tune["title"])) if tune.get("title") else None
            if known is not None and known.tune_id == tune["id"]:
                log.note("poll", submission=known, reply=tune)
    except LogError as error:
        warnings.warn(f"what was seen of a tune is not recorded ({error})", stacklevel=3)


def prompts(frame: pd.DataFrame, client: Client | None = None) -> pd.DataFrame:
    """Return the prompts of tunes, a typed row each with its pictures' addresses, oldest first.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `submit` or `wait`; for a run on existing tunes, only the prompts that the run made.
    client : Client, optional
        Default as in `submit`.

    Raises
    ------
    ApiError, NotSentError
        The service refused, or was not reached.

    Notes
    -----
    A prompt's own ``tune_id`` may be that of the base model (astria-api, section 6), so each tune is asked
    for the prompts that use it.

    Examples
    --------
    >>> import astria_nb as anb
    >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> with anb.Sandbox(deterministic=True) as sandbox:
    ...     client = sandbox.client()
    ...     found = anb.prompts(anb.submit(tune, client), client)
    >>> len(found), found.loc[0, "status"]
    (8, 'pending')
    """
    client = client_or_default(client)
    records = _records(frame, "id")
    tunes = [int(row["id"]) for row in records if pd.notna(row["id"]) and row.get("status") != "deleted"]
    runs: list[Any] = [row.get("prompt_ids") for row in records if pd.isna(row["id"])]
    ids = [int(each) for run in runs if not pd.api.types.is_scalar(run) for each in run]
    found: dict[int, Any] = {each["id"]: each for tune_id in tunes for each in client.prompts(tune_id)}
    found |= latest(ids, lambda before: client.prompts(before_id=before, limit=PAGE_SIZE), client.prompt)
    return rows.prompt_frame([each for _, each in sorted(found.items()) if each is not None])


def _records(frame: pd.DataFrame, *needed: str) -> list[dict[Any, Any]]:
    """Return the rows of a frame of tunes."""
    if isinstance(frame, pd.DataFrame) and frame.empty:
        return []
    if isinstance(frame, pd.DataFrame) and set(needed) <= set(frame.columns):
        return with_ids(frame).to_dict("records")
    what, hint = f"{short(frame)} holds no tunes", "give the rows that submit or wait returned"
    raise TuneError(Problem("frame", what, hint))
