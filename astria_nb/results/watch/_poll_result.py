"""The result of one poll of the service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from astria_nb.client import Json


@dataclass(frozen=True, slots=True)
class PollResult:
    """The state of some tunes after a poll.

    Attributes
    ----------
    frame : pandas.DataFrame
        The rows in their latest state; ``status`` is ``deleted`` for a tune that is gone.
    fraction_done : float
        Progress over all rows, from 0 to 1.
    text : str
        The same as text.
    prompts : pandas.DataFrame or None
        The prompts seen so far; None before the first one, or if prompts are not waited for.
    prompt_records : mapping of int to sequence of dict
        The same prompts as the API's JSON, by the id of their tune.
    changed_tunes : tuple of dict
        The API's JSON of each tune whose status changed since the previous poll.
    seconds_left : float or None
        Seconds until the last untrained tune reaches its ``eta``, by the service's clock.
    failure : str
        Why this poll failed, and when the next one is; the other fields are those of the previous poll. Empty
        if it succeeded.
    """

    frame: pd.DataFrame
    fraction_done: float
    text: str
    prompts: pd.DataFrame | None = None
    prompt_records: Mapping[int, Sequence[Json]] = field(default_factory=dict)
    changed_tunes: tuple[Json, ...] = ()
    seconds_left: float | None = None
    failure: str = ""
