"""The API's JSON as typed pandas rows: one Arrow schema, so that rows concatenate and never lose a type."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from astria_nb.utils.arrow import IDS, TEXTS, TIME, parse_time, to_pandas, typed_frame, typed_table
from astria_nb.utils.redaction import redact_text

# Every tune row has these columns, in this order: those that are looked at, ours, and the rest of what is
# documented (astria-api, section 6), which some replies have and others lack.
TUNE = pa.schema(
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
PROMPT = pa.schema(
    {
        "id": pa.int64(),
        "text": pa.string(),
        "images": TEXTS,
        "status": pa.string(),
        "user_error": pa.string(),
        "tune_id": pa.int64(),
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
_LORA, _ID = re.compile(r"<lora:(\d{1,18}):"), re.compile(r'"id": (\d{1,18})\b')
_CALLBACKS = ("callback", "prompts_callback")
# What the service does not tell, and a later look at it must not lose.
_OURS = ("pack", "encoding", "image_sha256", "tune_ids", "prompt_ids")


def tune_frame(tunes: Sequence[Mapping[str, Any]], now: datetime | None = None) -> pd.DataFrame:
    """Return one typed row per tune.

    Parameters
    ----------
    tunes : sequence of mapping
        The API's JSON, with our own ``pack, encoding, image_sha256, tune_ids, prompt_ids`` where known.
    now : datetime, optional
        The service's time, by which expiry is judged; default this machine's.

    Returns
    -------
    pandas.DataFrame
        Ids ``Int64``, text ``str``, times ``datetime64[us, UTC]``, lists Arrow's. ``status`` is ``queued``,
        ``training``, ``trained``, ``failed``, ``expired`` or ``deleted``, or null for a run that made no
        tune. Fields that are not documented are kept behind the others.

    Examples
    --------
    >>> row = tune_frame([{"id": 7, "title": "t", "created_at": "2026-01-01T12:00:00.000Z"}])
    >>> row.loc[0, "status"], str(row.dtypes["trained_at"])
    ('queued', 'datetime64[us, UTC]')
    """
    return to_pandas(with_expiry(tune_table(tunes), now))


def tune_table(tunes: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return the table behind `tune_frame`, in which nothing has expired yet: that depends on the day."""
    return typed_table([{**_without_secrets(tune), "status": _lasting_status(tune)} for tune in tunes], TUNE)


def with_expiry(table: pa.Table, now: datetime | None = None) -> pa.Table:
    """Return a `tune_table` as it stands at a time, by default this machine's."""
    at = pa.scalar(now or datetime.now(UTC), TIME)
    over = pc.and_(pc.equal(table["status"], "trained"), pc.less(table["expires_at"], at))
    status = pc.if_else(pc.fill_null(over, False), "expired", table["status"])
    return table.set_column(table.schema.get_field_index("status"), table.schema.field("status"), status)


def ours(record: Mapping[Any, Any]) -> dict[str, Any]:
    """Return what a row knows beyond the service's own fields, to be carried into its next state."""
    known = {key: record[key] for key in _OURS if key in record}
    return {
        key: value if isinstance(value, str | int) else list(value)
        for key, value in known.items()
        if not pd.api.types.is_scalar(value) or pd.notna(value)
    }


def prompt_frame(prompts: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return one typed row per prompt; ``status`` is ``pending``, ``done`` or ``failed``.

    Parameters
    ----------
    prompts : sequence of mapping
        The API's JSON.
    """
    return typed_frame(
        [
            {**_without_secrets(prompt), "images": picture_urls(prompt), "status": prompt_status(prompt)}
            for prompt in prompts
        ],
        PROMPT,
    )


def tune_status(tune: Mapping[str, Any], now: datetime | None = None) -> str | None:
    """Derive what the API has no field for (astria-api, section 6).

    Parameters
    ----------
    tune : mapping
        The API's JSON.
    now : datetime, optional
        The service's time; default this machine's.
    """
    status, expires_at = _lasting_status(tune), parse_time(tune.get("expires_at"))
    if status == "trained" and expires_at is not None and expires_at < (now or datetime.now(UTC)):
        return "expired"
    return status


def prompt_status(prompt: Mapping[str, Any]) -> str:
    """Derive a prompt's state: done with pictures, failed with an error or with none, else pending."""
    if picture_urls(prompt):
        return "done"
    return "failed" if prompt.get("user_error") or prompt.get("trained_at") else "pending"


def _without_secrets(entity: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out what a receiver of callbacks proves them with: a row is shown, and saved with a notebook."""
    hooks = {name: entity[name] for name in _CALLBACKS if isinstance(entity.get(name), str)}
    return {**entity, **{name: redact_text(url) for name, url in hooks.items()}} if hooks else entity


def _lasting_status(tune: Mapping[str, Any]) -> str | None:
    if tune.get("id") is None:
        return None
    if tune.get("status") == "deleted":  # ours: what is gone tells nothing to derive it from
        return "deleted"
    if tune.get("failed_at"):
        return "failed"
    if tune.get("trained_at"):
        return "trained"
    return "training" if tune.get("started_training_at") else "queued"


def picture_urls(prompt: Mapping[str, Any]) -> list[str]:
    """Return the addresses of a prompt's pictures; they are plain text so far, objects are taken as well."""
    images = prompt.get("images")
    images = images if isinstance(images, list | tuple) else []
    found = [each.get("url") if isinstance(each, Mapping) else each for each in images]
    return [each for each in found if isinstance(each, str)]


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
