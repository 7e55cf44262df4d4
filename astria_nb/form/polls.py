"""What looks at tunes found, put on record: a form that is made again shows it before it asks anybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from astria_nb.log import Log
from astria_nb.rows import ours
from astria_nb.watch import Look

# Of a prompt, what is shown.
_SHOWN = ("id", "text", "images", "user_error", "liked", "num_images", "trained_at")


class Polls:
    """Writes a look into a log where it differs from the one before.

    Parameters
    ----------
    log : Log
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._known: dict[Any, Any] = {}

    def note(self, look: Look, service: str) -> None:
        """Record a tune whose state is another one, and those of its prompts that changed.

        Raises
        ------
        LogError
            The log cannot be written.
        """
        (tune,) = look.frame.to_dict("records")
        if pd.isna(tune["id"]):  # a run on existing tunes: no later form finds it by its title
            return
        tune_id = int(tune["id"])
        if self._is_news(("tune", tune_id), tune["status"]):
            told = {key: each for key, each in tune.items() if key not in ("status", *ours(tune))}
            self._log.note("poll", tune_id=tune_id, service=service, reply=_plain(told))
        prompts = [] if look.prompts is None else look.prompts.to_dict("records")
        shown = [_plain({key: prompt.get(key) for key in _SHOWN}) for prompt in prompts]
        if news := [each for each in shown if self._is_news(("prompt", each["id"]), each)]:
            self._log.note("poll", tune_id=tune_id, service=service, reply=news)

    def _is_news(self, key: object, state: object) -> bool:
        is_news = self._known.get(key) != state
        self._known[key] = state
        return is_news


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
        # As the service writes it: the log compares times as text.
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    return value.item() if hasattr(value, "item") else value
