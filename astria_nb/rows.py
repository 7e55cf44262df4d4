"""The API's JSON as typed pandas rows: one Arrow schema, so that rows concatenate and never lose a type."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa

_TIME = pa.timestamp("us", "UTC")
_TEXTS, _IDS = pa.list_(pa.string()), pa.list_(pa.int64())

# Every tune row has these columns, in this order: those that are looked at, ours, and the rest of what is
# documented (astria-api, section 6), which some replies have and others lack.
TUNE = pa.schema(
    {
        "id": pa.int64(),
        "title": pa.string(),
        "name": pa.string(),
        "pack": pa.int64(),
        "status": pa.string(),
        "eta": _TIME,
        "started_training_at": _TIME,
        "trained_at": _TIME,
        "expires_at": _TIME,
        "created_at": _TIME,
        "updated_at": _TIME,
        "failed_at": _TIME,
        "url": pa.string(),
        "orig_images": _TEXTS,
        "image_sha256": _TEXTS,
        "encoding": pa.string(),
        "tune_ids": _IDS,
        "prompt_ids": _IDS,
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
        "ckpt_urls": _TEXTS,
    }
)
PROMPT = pa.schema(
    {
        "id": pa.int64(),
        "text": pa.string(),
        "images": _TEXTS,
        "status": pa.string(),
        "user_error": pa.string(),
        "tune_id": pa.int64(),
        "base_pack_id": pa.int64(),
        "orig_prompt_id": pa.int64(),
        "started_training_at": _TIME,
        "trained_at": _TIME,
        "created_at": _TIME,
        "updated_at": _TIME,
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
        ``training``, ``trained``, ``failed`` or ``expired``, or null for a run that made no tune. Fields that
        are not documented are kept behind the others.

    Examples
    --------
    >>> row = tune_frame([{"id": 7, "title": "t", "created_at": "2026-01-01T12:00:00.000Z"}])
    >>> row.loc[0, "status"], str(row.dtypes["trained_at"])
    ('queued', 'datetime64[us, UTC]')
    """
    return typed_frame([{**tune, "status": tune_status(tune, now)} for tune in tunes], TUNE)


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
        [{**prompt, "images": picture_urls(prompt), "status": prompt_status(prompt)} for prompt in prompts],
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
    if tune.get("id") is None:
        return None
    if tune.get("failed_at"):
        return "failed"
    expires_at = _time(tune.get("expires_at"))
    if tune.get("trained_at"):
        return "expired" if expires_at is not None and expires_at < (now or datetime.now(UTC)) else "trained"
    return "training" if tune.get("started_training_at") else "queued"


def prompt_status(prompt: Mapping[str, Any]) -> str:
    """Derive a prompt's state: done with pictures, failed with an error or with none, else pending."""
    if picture_urls(prompt):
        return "done"
    return "failed" if prompt.get("user_error") or prompt.get("trained_at") else "pending"


def picture_urls(prompt: Mapping[str, Any]) -> list[str]:
    """Return the addresses of a prompt's pictures; they are plain text so far, objects are taken as well."""
    images = prompt.get("images")
    images = images if isinstance(images, list | tuple) else []
    found = [each.get("url") if isinstance(each, Mapping) else each for each in images]
    return [each for each in found if isinstance(each, str)]


def typed_frame(records: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pd.DataFrame:
    """Return one row per record, its columns those of an Arrow schema and behind them what else there is."""
    records = [{_text(key): value for key, value in record.items()} for record in records]
    extra = dict.fromkeys(key for record in records for key in record if key not in schema.names)
    fields = [*schema, *(_extra_field(key, [record.get(key) for record in records]) for key in extra)]
    arrays = [
        pa.array([_value(record.get(field.name), field.type) for record in records], field.type)
        for field in fields
    ]
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
    frame: pd.DataFrame = table.to_pandas(types_mapper=_pandas_type)
    return frame


def _extra_field(key: str, values: list[Any]) -> pa.Field:
    """Give a field that is not documented the type that its values share, or text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return pa.field(key, pa.bool_())
    if kinds == {int}:
        return pa.field(key, pa.int64())
    if kinds and kinds <= {int, float}:
        return pa.field(key, pa.float64())
    if key.endswith("_at") and all(value is None or _time(value) for value in values):
        return pa.field(key, _TIME)
    return pa.field(key, pa.string())


def _value(value: Any, kind: pa.DataType) -> Any:
    """Make a value fit its column. One that does not fit becomes null: a row is never lost over a field."""
    if value is None:
        return None
    if kind == _TIME:
        return _time(value)
    if kind == _TEXTS:
        return (
            [None if each is None else _text(each) for each in value]
            if isinstance(value, list | tuple)
            else None
        )
    if kind == _IDS:
        return (
            [each for each in map(_integer, value) if each is not None]
            if isinstance(value, list | tuple)
            else None
        )
    if pa.types.is_boolean(kind):
        return value if isinstance(value, bool) else None
    if pa.types.is_integer(kind):
        return _integer(value)
    if pa.types.is_floating(kind):
        return _float(value)
    return _text(value)


def _text(value: Any) -> str:
    """Return text that every frontend and file takes; objects such as `characteristics` as their JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text.encode("utf-8", "replace").decode()


def _float(value: Any) -> float | None:
    try:
        return float(value) if isinstance(value, int | float) else None
    except OverflowError:
        return None


def _integer(value: Any) -> int | None:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if -(2**63) <= number < 2**63 else None


def _time(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _pandas_type(kind: pa.DataType) -> Any:
    if pa.types.is_integer(kind):
        return pd.Int64Dtype()
    if pa.types.is_floating(kind):
        return pd.Float64Dtype()
    if pa.types.is_boolean(kind):
        return pd.BooleanDtype()
    if pa.types.is_string(kind):
        return pd.StringDtype(na_value=float("nan"))
    if pa.types.is_timestamp(kind):
        return pd.DatetimeTZDtype("us", "UTC")
    return pd.ArrowDtype(kind)
