"""Requests and tunes as the JSON that the log stores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from astria_nb import rows
from astria_nb.images import UNCHANGED, Preprocessing
from astria_nb.log._states import Submission
from astria_nb.tune import ImageRecord, Request

_FIELDS = ("service", "pack", "title", "encoding", "parameters")


def of_request(request: Request) -> dict[str, Any]:
    """Return everything needed to send a request again."""
    values = {key: getattr(request, key) for key in _FIELDS}
    # The keys that existing logs have.
    treatment = _fields_of(request.preprocessing)
    if not request.preprocessing.keep_damaged:
        del treatment["keep_damaged"]
    preprocessing = {"treatment": treatment} if request.preprocessing != UNCHANGED else {}
    images = [_fields_of(image) for image in request.images]
    return {**values, "images": images, **preprocessing, "redacted": request.redacted}


def _fields_of(record: Preprocessing | ImageRecord) -> dict[str, Any]:
    """Return the fields of a flat record; `dataclasses.asdict` would copy their values one by one."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def to_request(
    text: str, fingerprint: str, image_sha256: str | None, service: str, account: str | None
) -> Request:
    """Return a stored request.

    Parameters
    ----------
    text : str
        The JSON of `of_request`.
    fingerprint : str
        The request's fingerprint before anything was redacted.
    image_sha256 : str or None
        The JSON list of its images' hashes.
    service : str
        Its address in the log's spelling.
    account : str or None
    """
    stored = json.loads(text) | {"service": service}
    images = tuple(ImageRecord(**image) for image in stored.pop("images"))
    preprocessing = Preprocessing(**stored.pop("treatment")) if "treatment" in stored else UNCHANGED
    request = Request(
        **stored,
        images=images,
        preprocessing=preprocessing,
        recorded_fingerprint=fingerprint,
        account=account,
    )
    return request.with_sha256(json.loads(image_sha256) if image_sha256 else None)


def tune_of(reply: Any) -> dict[str, Any] | None:
    """Return the tune in a reply; a callback wraps it in ``tune`` (astria-api, section 9)."""
    if isinstance(reply, Mapping) and isinstance(reply.get("tune"), Mapping):
        reply = reply["tune"]
    return dict(reply) if isinstance(reply, Mapping) else None


def row_fields(tune: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields for a row: all of a tune, or only the documented ones of a run without a tune."""
    if tune.get("id") is not None:
        return tune
    return {key: tune[key] for key in tune.keys() & set(rows.TUNE_SCHEMA.names)}


def is_newer(submission: Submission, tune: Mapping[str, Any]) -> bool:
    """Return whether a tune belongs to the submission, and is not older than its record."""
    if submission.tune_id is None or tune.get("id") != submission.tune_id:
        return False
    before, after = (submission.record or {}).get("updated_at"), tune.get("updated_at")
    # Timestamps of one service have one format, so their text sorts like the times.
    return not (isinstance(before, str) and isinstance(after, str)) or before <= after


def updated(submission: Submission, tune: Mapping[str, Any]) -> dict[str, Any]:
    """Return a submission's record with the fields of a newer tune; a status ``deleted`` is dropped."""
    before = submission.record or submission.own_fields
    return {**{key: value for key, value in before.items() if key != "status"}, **tune}
