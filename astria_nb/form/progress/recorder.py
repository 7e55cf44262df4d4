"""What looks at tunes found, put on record: a form that is made again shows it before it asks anybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from astria_nb.log import Log
from astria_nb.results.watch.poll_result import PollResult

# Of a prompt, what is shown.
_SHOWN = ("id", "text", "images", "user_error", "liked", "num_images", "trained_at")


class Polls:
    """Writes into a log what is new in a look: tunes in another state, prompts that changed.

    Parameters
    ----------
    log : Log
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._known: dict[int, dict[str, Any]] = {}

    def note(self, result: PollResult, service: str) -> None:
        """Record what a look at one tune found.

        Raises
        ------
        LogError
            The log cannot be written.
        """
        for tune in result.changed_tunes:
            self._log.note("poll", tune_id=tune["id"], service=service, reply=tune)
        tune_id = result.frame["id"].iloc[0]
        if pd.isna(tune_id):  # a run on existing tunes: no later form finds it by its title
            return
        prompts = [] if result.prompts is None else result.prompts.to_dict("records")
        shown = [_plain({key: prompt.get(key) for key in _SHOWN}) for prompt in prompts]
        if news := [each for each in shown if self._known.get(each["id"]) != each]:
            self._log.note("poll", tune_id=int(tune_id), service=service, reply=news)
            self._known |= {each["id"]: each for each in news}


def _plain(record: Mapping[Any, Any]) -> dict[str, Any]:
    """Return what a row says as the API's JSON."""
    known = {str(key): _value(value) for key, value in record.items()}
    return {key: value for key, value in known.items() if value is not None}


def _value(value: Any) -> Any:
    if not pd.api.types.is_scalar(value):
        return list(value)
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value
