"""Whose prompt it is: that of a LoRA names its base model as its tune."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

_LORA, _ID = re.compile(r"<lora:(\d{1,18}):"), re.compile(r'"id": (\d{1,18})\b')


def tune_ids(frame: pd.DataFrame) -> set[int]:
    """Return the ids of the tunes of some rows, those of runs on existing tunes included."""
    found = {int(each) for each in frame["id"].dropna()} if len(frame) else set()
    if "tune_ids" in frame.columns:
        found |= {int(each) for ids in frame["tune_ids"].dropna() for each in ids}
    return found


def tune_of(prompt: Mapping[Any, Any], own: Collection[int] = ()) -> int | None:
    """Return the id of the tune that a prompt was made with (astria-api, sections 4 and 6).

    Parameters
    ----------
    prompt : mapping
        A row of `astria_nb.prompts`.
    own : collection of int
        Those that are asked about: where a prompt uses several tunes, one of these goes first.

    Examples
    --------
    >>> tune_of({"text": "<lora:7:1> ohwx woman", "tune_id": 1504944}, [7])
    7
    """
    told, tune_id = prompt.get("tunes"), prompt.get("tune_id")
    used = [*_LORA.findall(str(prompt["text"])), *_ID.findall(told if isinstance(told, str) else "")]
    ids = [*map(int, used), *([] if tune_id is None or pd.isna(tune_id) else [int(tune_id)])]
    return next((each for each in ids if each in own), ids[0] if ids else None)
