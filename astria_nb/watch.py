"""The only place that polls: waiting for tunes, and their prompts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from astria_nb import rows
from astria_nb.arguments import number
from astria_nb.client import Client, Json
from astria_nb.defaults import client_or_default
from astria_nb.errors import Problem, TuneError
from astria_nb.progress import Progress
from astria_nb.wording import short

_OVER = ("trained", "failed", "expired")
_GOALS = {"trained": "be trained", "prompts": "have all pictures"}
_SLOWEST = 60.0  # seconds between two looks at the most


def wait(
    frame: pd.DataFrame,
    client: Client | None = None,
    *,
    until: Literal["trained", "prompts"] = "trained",
    timeout: float | None = None,
    poll: float = 0.5,
) -> pd.DataFrame:
    """Wait for tunes and return their rows in the latest state. Interrupt it at will, and call it again.

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
        Seconds between the first two looks; the interval grows from there to a minute.

    Returns
    -------
    pandas.DataFrame
        The same rows. A tune that failed or expired ends the wait for its row.

    Raises
    ------
    ApiError, NotSentError
        The service refused a look, or was not reached; the rows are not lost, call it again.

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
    started = time.monotonic()
    if not isinstance(until, str) or until not in _GOALS:
        raise TuneError(Problem("until", f"{short(until)} is not known", f"choose {' or '.join(_GOALS)}"))
    timeout = None if timeout is None else number("timeout", timeout, "seconds")
    poll = number("poll", poll, "seconds")

    def rest(seconds: float) -> None:
        left = seconds if timeout is None else timeout - (time.monotonic() - started)
        time.sleep(max(0.0, min(seconds, left)))

    noun = "1 tune" if len(frame) == 1 else f"{len(frame)} tunes"
    with Progress(f"Waiting for {noun} to {_GOALS[until]}", patience=0) as progress:
        for look in follow(frame, client, until, poll=poll, rest=rest):
            frame, elapsed = look.frame, time.monotonic() - started
            progress.show(look.finished, f"{look.text} · {elapsed:.0f} s")
            if timeout is not None and elapsed >= timeout:
                break
    return frame


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at some tunes found.

    Attributes
    ----------
    frame : pandas.DataFrame
        The rows in their latest state.
    finished : float
        How far they are, from 0 to 1.
    text : str
        The same in words.
    prompts : pandas.DataFrame or None
        Their prompts, once they are waited for.
    """

    frame: pd.DataFrame
    finished: float
    text: str
    prompts: pd.DataFrame | None = None


def follow(
    frame: pd.DataFrame, client: Client, until: str, *, poll: float, rest: Callable[[float], object]
) -> Iterator[Look]:
    """Look at tunes again and again, until they are finished.

    Parameters
    ----------
    frame : pandas.DataFrame
    client : Client
    until : str
        As for `wait`.
    poll : float
        Seconds between the first two looks.
    rest : callable
        Called with the seconds until the next look; has to let them pass.
    """
    while True:
        look = _look(frame, client, until)
        yield look
        if look.finished >= 1:
            return
        rest(min(poll, _SLOWEST))
        frame, poll = look.frame, poll * 1.5


def prompts(frame: pd.DataFrame, client: Client | None = None) -> pd.DataFrame:
    """Return the prompts of tunes, a typed row each with its pictures' addresses, oldest first.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `submit` or `wait`; for a run on existing tunes, only the prompts that the run made.
    client : Client, optional
        Default as in `submit`.

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
    found = {each["id"]: each for row in _records(frame, "id") for each in _prompts(row, client)}
    return rows.prompt_frame([found[key] for key in sorted(found)])


def _records(frame: pd.DataFrame, *needed: str) -> list[dict[Any, Any]]:
    """Return the rows of a frame of tunes."""
    if isinstance(frame, pd.DataFrame) and (frame.empty or set(needed) <= set(frame.columns)):
        return frame.to_dict("records")
    what, hint = f"{short(frame)} holds no tunes", "give the rows that submit or wait returned"
    raise TuneError(Problem("frame", what, hint))


def _prompts(row: Mapping[Any, Any], client: Client) -> list[Json]:
    if pd.notna(row["id"]):
        return list(client.prompts(int(row["id"])))
    ids = row.get("prompt_ids")
    return [client.prompt(int(each)) for each in ids] if ids is not None and ids is not pd.NA else []


def _look(frame: pd.DataFrame, client: Client, until: str) -> Look:
    latest = pd.concat([_latest(frame.iloc[[at]], client) for at in range(len(frame))])
    states = latest["status"].dropna()
    over = int(states.isin(_OVER).sum())
    text = ", ".join(f"{count} {state}" for state, count in states.value_counts(sort=False).items())
    if over < len(states):
        return Look(latest, _by_eta(latest, client) if len(latest) == 1 else over / len(states), text)
    if until == "trained":
        return Look(latest, 1.0, text)
    made = prompts(latest[~latest["status"].isin(["failed", "expired"])], client)
    done = int((made["status"] != "pending").sum())
    text = f"{text}, {done} of {len(made)} prompts done"
    return Look(latest, done / len(made) if len(made) else 1.0, text, made)


def _latest(row: pd.DataFrame, client: Client) -> pd.DataFrame:
    record = row.iloc[0].to_dict()
    if pd.isna(record["id"]) or record["status"] in _OVER:
        return row
    latest = rows.tune_frame([{**client.tune(int(record["id"])), **rows.ours(record)}], client.now())
    return latest.set_axis(row.index)


def _by_eta(row: pd.DataFrame, client: Client) -> float:
    """Return how much of the time to its eta a tune has behind it; never all of it while it is pending."""
    created, eta = row["created_at"].iloc[0], row["eta"].iloc[0]
    if pd.isna(created) or pd.isna(eta) or eta <= created:
        return 0.0
    return float(min(max((pd.Timestamp(client.now()) - created) / (eta - created), 0.0), 0.99))
