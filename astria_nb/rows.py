"""The API's JSON as typed pandas rows, with one Arrow schema so that frames concatenate."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from astria_nb.errors import AstriaError, Problem
from astria_nb.utils.arrow import IDS, TEXTS, TIME, parse_time, to_pandas, typed_frame, typed_table
from astria_nb.utils.redaction import redact_text

# The columns of every row, in this order: the most useful ones, our own, and then the other documented ones
# (astria-api, section 6), which only some replies have.
TUNE_SCHEMA = pa.schema(
    {
        "id": pa.int64(),
        "title": pa.string(),
        "name": pa.string(),
        "pack": pa.int64(),
        "status": pa.string(),
        "eta": TIME,
        "started_training_at": TIME,
        "trained_at": TIME,
        "expires_at": TIME,
        "created_at": TIME,
        "updated_at": TIME,
        "failed_at": TIME,
        "url": pa.string(),
        "orig_images": TEXTS,
        "image_sha256": TEXTS,
        "encoding": pa.string(),
        "tune_ids": IDS,
        "prompt_ids": IDS,
        "characteristics": pa.string(),
        "callback": pa.string(),
        "prompts_callback": pa.string(),
        "base_pack_id": pa.int64(),
        "base_tune_id": pa.int64(),
        "model_type": pa.string(),
        "branch": pa.string(),
        "token": pa.string(),
        "args": pa.string(),
        "steps": pa.int64(),
        "face_crop": pa.bool_(),
        "training_face_correct": pa.bool_(),
        "auto_extend": pa.bool_(),
        "is_api": pa.bool_(),
        "cost_mc": pa.int64(),
        "ckpt_url": pa.string(),
        "ckpt_urls": TEXTS,
    }
)
PROMPT_SCHEMA = pa.schema(
    {
        "id": pa.int64(),
        "text": pa.string(),
        "images": TEXTS,
        "status": pa.string(),
        "user_error": pa.string(),
        "tune_id": pa.int64(),
        "base_tune_id": pa.int64(),
        "base_pack_id": pa.int64(),
        "orig_prompt_id": pa.int64(),
        "started_training_at": TIME,
        "trained_at": TIME,
        "created_at": TIME,
        "updated_at": TIME,
        "negative_prompt": pa.string(),
        "callback": pa.string(),
        "num_images": pa.int64(),
        "seed": pa.int64(),
        "steps": pa.int64(),
        "cfg_scale": pa.float64(),
        "w": pa.int64(),
        "h": pa.int64(),
        "liked": pa.bool_(),
        "cost_mc": pa.int64(),
        "url": pa.string(),
    }
)
_LORA = re.compile(r"<lora:(\d{1,18}):")
_CALLBACKS = ("callback", "prompts_callback")
# Columns that the service does not return; a poll must not lose them.
OWN_COLUMNS = ("pack", "encoding", "image_sha256", "tune_ids", "prompt_ids")


def tune_frame(tunes: Sequence[Mapping[str, Any]], now: datetime | None = None) -> pd.DataFrame:
    """Return one typed row per tune.

    Parameters
    ----------
    tunes : sequence of mapping
        The API's JSON, with our own ``pack, encoding, image_sha256, tune_ids, prompt_ids`` if known.
    now : datetime, optional
        The service's time, with a time zone, which decides what has expired. Default: this machine's.

    Returns
    -------
    pandas.DataFrame
        Ids ``Int64``, text ``str`` (which pandas 2.2 calls ``string``; missing text is NaN in both), times
        ``datetime64[us, UTC]``, lists Arrow's. ``status`` is ``queued``,
        ``training``, ``trained``, ``failed``, ``expired`` or ``deleted``, or null for a run that made no
        tune. Undocumented fields come after the others.

    Examples
    --------
    >>> row = tune_frame([{"id": 7, "title": "t", "created_at": "2026-01-01T12:00:00.000Z"}])
    >>> row.loc[0, "status"], str(row.dtypes["trained_at"])
    ('queued', 'datetime64[us, UTC]')
    """
    return to_pandas(with_expiry(tune_table(tunes), now))


@cache
def check_frames() -> None:
    """Raise an error if this process cannot make frames: a row that cannot be returned must not be paid for.

    Raises
    ------
    AstriaError
        A sample row cannot be made.
    """
    tune = {"id": 1, "title": "t", "created_at": "2026-01-01T12:00:00.000Z", "orig_images": ["x"]}
    try:
        tune_frame([{**tune, "prompt_ids": [1], "is_api": True, "undocumented": 0.5}])
        return
    except Exception as error:  # noqa: BLE001  whatever it is, it would come after the payment
        what = f"{pd.__version__} cannot make the row of a tune ({type(error).__name__}: {error})"
    hint = "restart the kernel; if that does not help, run pip install --upgrade pandas pyarrow before it"
    raise AstriaError(Problem("pandas", what, hint))


def tune_table(tunes: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return the table behind `tune_frame`, without the status ``expired``, which depends on the time.

    Parameters
    ----------
    tunes : sequence of mapping
        As for `tune_frame`.

    Returns
    -------
    pyarrow.Table
    """
    records = [{**_redact_callbacks(tune), "status": _lasting_status(tune)} for tune in tunes]
    return typed_table(records, TUNE_SCHEMA)


def with_expiry(table: pa.Table, now: datetime | None = None) -> pa.Table:
    """Return a `tune_table` with the status ``expired`` for tunes that have expired.

    Parameters
    ----------
    table : pyarrow.Table
    now : datetime, optional
        The service's time, with a time zone. Default: this machine's.

    Returns
    -------
    pyarrow.Table
    """
    time = pa.scalar(now or datetime.now(UTC), TIME)
    has_expired = pc.and_(pc.equal(table["status"], "trained"), pc.less(table["expires_at"], time))
    status = pc.if_else(pc.fill_null(has_expired, False), "expired", table["status"])
    return table.set_column(table.schema.get_field_index("status"), table.schema.field("status"), status)


def own_fields(record: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the non-null values of our own columns, to be added to the service's next reply.

    Parameters
    ----------
    record : mapping
        A row, or the JSON that it was made from.

    Returns
    -------
    dict
    """
    values = {key: record[key] for key in OWN_COLUMNS if key in record}
    return {
        key: value if isinstance(value, str | int) else list(value)
        for key, value in values.items()
        if not pd.api.types.is_scalar(value) or pd.notna(value)
    }


def prompt_frame(
    prompts: Sequence[Mapping[str, Any]], tune_ids: Mapping[int, int | None] | None = None
) -> pd.DataFrame:
    """Return one typed row per prompt; ``status`` is ``pending``, ``done`` or ``failed``.

    Parameters
    ----------
    prompts : sequence of mapping
        The API's JSON.
    tune_ids : mapping of int to int, optional
        The tunes that prompts belong to, by the prompts' ids. Default: the tune that a prompt names.

    Returns
    -------
    pandas.DataFrame
        Types as in `tune_frame`. ``tune_id`` is the tune that made the pictures, as in the rows of tunes;
        ``base_tune_id`` is what the API calls ``tune_id``, which may be the base model (astria-api,
        section 6).

    Examples
    --------
    >>> prompt = {"id": 1, "text": "<lora:7:1> ohwx cat", "tune_id": 1504944}
    >>> prompt_frame([prompt])[["tune_id", "base_tune_id"]].loc[0].tolist()
    [7, 1504944]
    """
    return typed_frame(
        [
            {
                **_redact_callbacks(prompt),
                "images": picture_urls(prompt),
                "status": prompt_status(prompt),
                "tune_id": _owner(prompt, tune_ids or {}),
                "base_tune_id": prompt.get("tune_id"),
            }
            for prompt in prompts
        ],
        PROMPT_SCHEMA,
    )


def tune_status(tune: Mapping[str, Any], now: datetime | None = None) -> str | None:
    """Return a tune's status, derived from its times: the API has no such field (astria-api, section 6).

    Parameters
    ----------
    tune : mapping
        The API's JSON.
    now : datetime, optional
        The service's time, with a time zone. Default: this machine's.

    Returns
    -------
    str or None
        As in `tune_frame`.
    """
    status, expires_at = _lasting_status(tune), parse_time(tune.get("expires_at"))
    if status == "trained" and expires_at is not None and expires_at < (now or datetime.now(UTC)):
        return "expired"
    return status


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


def _redact_callbacks(entity: Mapping[str, Any]) -> Mapping[str, Any]:
    """Redact callback URLs, whose secret proves that a callback is genuine: rows end up in notebooks."""
    callbacks = {name: entity[name] for name in _CALLBACKS if isinstance(entity.get(name), str)}
    return {**entity, **{name: redact_text(url) for name, url in callbacks.items()}} if callbacks else entity


def _owner(prompt: Mapping[str, Any], tune_ids: Mapping[int, int | None]) -> int | None:
    prompt_id = prompt.get("id")
    listed_for = tune_ids.get(prompt_id) if isinstance(prompt_id, int) else None
    return tune_id_of(prompt) if listed_for is None else listed_for


def _lasting_status(tune: Mapping[str, Any]) -> str | None:
    if tune.get("id") is None:
        return None
    if tune.get("status") == "deleted":  # our own status: a deleted tune has no fields to derive it from
        return "deleted"
    if tune.get("failed_at"):
        return "failed"
    if tune.get("trained_at"):
        return "trained"
    return "training" if tune.get("started_training_at") else "queued"


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
    >>> ids_in([7, 8]), ids_in(pd.NA)
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
    >>> tune_id_of({"text": "<lora:7:1> ohwx woman", "tune_id": 1504944}, [7])
    7
    """
    tunes = prompt.get("tunes")
    listed = (
        [tune.get("id") for tune in tunes if isinstance(tune, Mapping)] if isinstance(tunes, list) else []
    )
    named = map(int, _LORA.findall(str(prompt.get("text"))))
    ids = [*named, *(number for number in (*listed, prompt.get("tune_id")) if type(number) is int)]
    return next((number for number in ids if number in own), ids[0] if ids else None)
