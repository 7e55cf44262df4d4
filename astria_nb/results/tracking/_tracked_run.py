"""The data of a tune in an MLflow run: its parameters, tags and metrics, without photos and secrets."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from astria_nb.log import Labels, Submission
from astria_nb.rows import ids_in
from astria_nb.tune import FIELDS
from astria_nb.utils.redaction import redact_name, redact_text

_COLUMNS = ("pack", "name", "title", "encoding", "model_type", "branch", "base_tune_id", "steps", "face_crop")
# Fields from the log's request; the title and the class come from the row.
_FIELDS = tuple(
    name
    for name, spec in FIELDS.items()
    if spec.is_parameter and spec.holds != "address" and name not in ("title", "name")
)
_MAX_VALUE = 5000  # characters; MLflow accepts 6000 and does not truncate
_MAX_NAME = 250  # characters
_UNFIT = re.compile(r"[^\w.: -]")  # MLflow accepts a slash only in some places of a name
_ENDED = ("trained", "expired", "deleted")


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """A tune as an MLflow run.

    Attributes
    ----------
    key : tuple of (str, str)
        Name and value of the tag that, together with the service, identifies the run.
    service : str
    name : str
    parameters, tags : dict of str to str
    metrics : dict of str to float
    status : {"RUNNING", "FINISHED", "FAILED"}
    started_at, ended_at : int or None
        Milliseconds since 1970 in UTC, as in MLflow.
    """

    key: tuple[str, str]
    service: str
    name: str
    parameters: dict[str, str]
    tags: dict[str, str]
    metrics: dict[str, float]
    status: str
    started_at: int | None
    ended_at: int | None


def tracked_run(
    row: Mapping[str, Any],
    prompts: pd.DataFrame | None,
    dollars: float | None,
    submission: Submission | None,
    labels: Labels,
    service: str,
) -> TrackedRun | None:
    """Return the run of a tune, or None if there is nothing yet that would identify it.

    Parameters
    ----------
    row : mapping
        A row of a typed frame.
    prompts : pandas.DataFrame or None
        The tune's prompts; None if they are gone and nothing is known about them.
    dollars : float or None
        Its cost, if known.
    submission : Submission or None
        Its submission in the log.
    labels : Labels
        The tags and the note of the log.
    service : str
        The service that made it.
    """
    key = _key(row)
    if key is None:
        return None
    title = row["title"] if isinstance(row["title"], str) else f"run of pack {row['pack']}"
    is_pending = prompts is not None and bool((prompts["status"] == "pending").any())
    has_ended = row["status"] in _ENDED or pd.isna(row["id"])
    status = "FINISHED" if has_ended and not is_pending else "RUNNING"
    status = "FAILED" if row["status"] == "failed" else status
    ended_at = row["failed_at"] if status == "FAILED" else row["trained_at"]
    return TrackedRun(
        key=key,
        service=service,
        name=redact_name(title)[:_MAX_NAME],
        parameters=dict(_parameters(row, submission)),
        tags=dict(_tags(row, key, labels, service)),
        metrics=dict(_metrics(row, prompts, dollars)),
        status=status,
        started_at=_milliseconds(row["created_at"]),
        ended_at=_milliseconds(ended_at) if status != "RUNNING" else None,
    )


def _key(row: Mapping[str, Any]) -> tuple[str, str] | None:
    if pd.notna(row["id"]):
        return "astria.tune_id", str(int(row["id"]))
    prompt_ids = ids_in(row["prompt_ids"])  # a run on existing tunes has no tune, but its own prompts
    return ("astria.prompt_id", str(min(prompt_ids))) if prompt_ids else None


def _parameters(row: Mapping[str, Any], submission: Submission | None) -> Iterator[tuple[str, str]]:
    request = {} if submission is None else submission.request.parameters
    fields: dict[str, Any] = {name: row.get(name) for name in _COLUMNS}
    fields |= {name: request[name] for name in _FIELDS if request.get(name) is not None}
    fields["characteristics"] = request.get("characteristics") or _json(row.get("characteristics"))
    fields["tune_ids"] = ids_in(row["tune_ids"])
    if submission is not None:
        fields["training_images"] = len(submission.request.images) + len(request.get("image_urls") or ())
    elif isinstance(row.get("image_sha256"), list):
        fields["training_images"] = len(row["image_sha256"])
    for name, value in fields.items():
        yield from _flat(name, value)


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, child in value.items():
            if "callback" not in str(key):
                yield from _flat(f"{name}.{key}", child)
    elif isinstance(value, list | tuple):
        if value:
            yield _fitting(name), _text(", ".join(map(str, value)))
    elif not pd.isna(value) and str(value):
        yield _fitting(name), _text(redact_name(value) if name == "title" else value)


def _fitting(name: str) -> str:
    """Return a name that MLflow accepts; a changed name ends in a hash, so that names stay unique."""
    if len(name) <= _MAX_NAME and not _UNFIT.search(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{_UNFIT.sub('_', name)[: _MAX_NAME - 9]}_{digest}"


def _tags(
    row: Mapping[str, Any], key: tuple[str, str], labels: Labels, service: str
) -> Iterator[tuple[str, str]]:
    yield key
    yield "astria.service", service
    for name in ("account", "status", "url"):
        if isinstance(row.get(name), str) and row[name]:
            yield f"astria.{name}", _text(row[name])
    # Secrets have been removed already; addresses in them remain.
    yield "tags", _cut(", ".join(labels.tags))
    yield "note", _cut(labels.note or "")


def _metrics(
    row: Mapping[str, Any], prompts: pd.DataFrame | None, dollars: float | None
) -> Iterator[tuple[str, float]]:
    if dollars is not None:
        yield "cost_dollars", dollars
    begun_at = row["created_at"] if pd.isna(row["started_training_at"]) else row["started_training_at"]
    # If training was restarted, this is the second start (astria-api, section 16).
    if pd.notna(row["trained_at"]) and pd.notna(begun_at) and begun_at <= row["trained_at"]:
        yield "training_minutes", (row["trained_at"] - begun_at).total_seconds() / 60
    if prompts is None:
        return
    yield "pictures", float(sum(map(len, prompts["images"])))
    yield "failed_prompts", float((prompts["status"] == "failed").sum())
    yield "likes", float(prompts["liked"].fillna(False).astype(bool).sum())


def _json(value: object) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else None
    except ValueError:
        return value


def _text(value: object) -> str:
    return _cut(redact_text(str(value)))


def _cut(text: str) -> str:
    text = text.encode("utf-8", "replace").decode()  # a lone surrogate cannot be stored as text
    return text if len(text) <= _MAX_VALUE else f"{text[: _MAX_VALUE - 1]}…"


def _milliseconds(time: Any) -> int | None:
    return None if pd.isna(time) else int(time.timestamp() * 1000)
