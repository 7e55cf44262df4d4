"""Prompts as typed rows."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from astria_nb.rows._callbacks import redact_callbacks
from astria_nb.rows._records import Records, list_records
from astria_nb.rows._schemas import PROMPT_SCHEMA
from astria_nb.utils.arguments import parse_id
from astria_nb.utils.typed_frame import typed_frame

_LORA = re.compile(r"<(?:lora|faceid):(\d{1,18}):")


def prompt_frame(
    prompts: Records,
    tune_ids: Mapping[int, int | None] | None = None,
    origin: Mapping[str, str | None] | None = None,
) -> pd.DataFrame:
    """Return one typed row per prompt; ``status`` is ``pending``, ``done`` or ``failed``.

    Parameters
    ----------
    prompts : iterable of mapping, or mapping
        The API's JSON, as ``client.prompts(id)`` returns it.
    tune_ids : mapping of int to int, optional
        The tune of each prompt, by the prompt's id. Default: the tune that a prompt names.
    origin : mapping, optional
        Their ``service`` and ``account``, if known.

    Returns
    -------
    pandas.DataFrame
        Types as in `tune_frame`. ``tune_id`` is the tune that made the pictures, as in the rows of tunes;
        ``base_tune_id`` is what the API calls ``tune_id``, which may be the base model (astria-api,
        section 6).

    Raises
    ------
    TuneError
        One of the prompts is not a JSON object.

    Examples
    --------
    >>> import astria_nb as anb
    >>> prompt = {"id": 1, "text": "<lora:7:1> ohwx cat", "tune_id": 1504944}
    >>> anb.rows.prompt_frame([prompt])[["tune_id", "base_tune_id"]].loc[0].tolist()
    [7, 1504944]
    """
    return typed_frame(
        [
            {
                **redact_callbacks(prompt),
                "images": picture_urls(prompt),
                "status": prompt_status(prompt),
                "tune_id": _owner(prompt, tune_ids or {}),
                "base_tune_id": prompt.get("tune_id"),
                **(origin or {}),
            }
            for prompt in list_records("prompts", prompts)
        ],
        PROMPT_SCHEMA,
    )


def prompt_status(prompt: Mapping[str, Any]) -> str:
    """Return a prompt's status: done with pictures, failed with an error or finished without, else pending.

    Parameters
    ----------
    prompt : mapping
        The API's JSON.

    Returns
    -------
    str
    """
    if picture_urls(prompt):
        return "done"
    return "failed" if prompt.get("user_error") or prompt.get("trained_at") else "pending"


def picture_urls(prompt: Mapping[str, Any]) -> list[str]:
    """Return the URLs of a prompt's pictures.

    Parameters
    ----------
    prompt : mapping
        The API's JSON. Its images are URLs; objects with a ``url`` are accepted too.

    Returns
    -------
    list of str
    """
    images = prompt.get("images")
    images = images if isinstance(images, list | tuple) else []
    urls = [image.get("url") if isinstance(image, Mapping) else image for image in images]
    return [url for url in urls if isinstance(url, str)]


def ids_in(value: Any) -> list[int]:
    """Return the ids in a value of a list column, which may be missing.

    Parameters
    ----------
    value : list of int, numpy.ndarray, or missing

    Returns
    -------
    list of int

    Examples
    --------
    >>> import pandas as pd, astria_nb as anb
    >>> anb.rows.ids_in([7, 8]), anb.rows.ids_in(pd.NA)
    ([7, 8], [])
    """
    return [] if value is None or pd.api.types.is_scalar(value) else [int(number) for number in value]


def tune_id_of(prompt: Mapping[str, Any], own: Collection[int] = ()) -> int | None:
    """Return the id of the tune that a prompt was made with (astria-api, sections 4 and 6).

    Parameters
    ----------
    prompt : mapping
        The API's JSON.
    own : collection of int
        If a prompt uses several tunes, one of these is preferred.

    Returns
    -------
    int or None

    Examples
    --------
    >>> import astria_nb as anb
    >>> anb.rows.tune_id_of({"text": "<lora:7:1> ohwx woman", "tune_id": 1504944}, [7])
    7
    """
    tunes = prompt.get("tunes")
    listed = (
        [tune.get("id") for tune in tunes if isinstance(tune, Mapping)] if isinstance(tunes, list) else []
    )
    named = map(int, _LORA.findall(str(prompt.get("text"))))
    ids = [*named, *filter(None, map(parse_id, (*listed, prompt.get("tune_id"))))]
    return next((number for number in ids if number in own), ids[0] if ids else None)


def _owner(prompt: Mapping[str, Any], tune_ids: Mapping[int, int | None]) -> int | None:
    number = parse_id(prompt.get("id"))
    listed_for = None if number is None else tune_ids.get(number)
    return tune_id_of(prompt) if listed_for is None else listed_for
