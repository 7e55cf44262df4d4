"""The fields of a form that come from the row of a tune."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import pandas as pd

from astria_nb.client import Client
from astria_nb.errors import LogError, Problem, TuneError
from astria_nb.log import Log, Submission
from astria_nb.results.frames import tunes_in
from astria_nb.rows import Rows
from astria_nb.utils.redaction import PLACEHOLDER

# Not ``prompt_ids``: in a row these are the created prompts, not the requested ones.
_ROW_FIELDS = (
    *("title", "pack", "name", "image_urls", "characteristics"),
    *("callback", "prompts_callback", "tune_ids"),
)


def fields_of_row(row: Rows, client: Client, log: Log) -> dict[str, Any]:
    """Return the fields with which a row's tune was made, without its title.

    They come from the log if it has the request, else from the row.

    Raises
    ------
    TuneError
        The value is not one row, or neither the row nor the log contains the tune's fields.
    """
    frame = tunes_in(row)
    if len(frame) != 1:
        what = f"expected one row, got {len(frame)}"
        raise TuneError(Problem("row", what, "select one, such as rows.iloc[[0]]"))
    fields = _fields_in_row(frame)
    title = fields.pop("title", None)
    submission = None
    with suppress(LogError):  # the form says so
        submission = _recorded(frame.iloc[0], title, client, log)
    if submission is None:
        if not fields:
            what = "does not contain the fields of its tune, and neither does the log"
            raise TuneError(Problem("row", what, "pass the row that submit returned"))
        return fields
    request = submission.request
    redacted = {field.split(".")[0] for field in request.redacted}
    fields = {**request.parameters, "pack": request.pack}
    if paths := [image.path for image in request.images if image.path]:  # other images were in memory
        fields["images"] = paths
        fields |= {name: value for name, value in asdict(request.preprocessing).items() if value}
    return {name: value for name, value in fields.items() if name not in {*redacted, "title"}}


def _recorded(row: pd.Series[Any], title: str | None, client: Client, log: Log) -> Submission | None:
    """Return the submission of a row, by its title or else by the id of its tune, or None."""
    if not log.exists():
        return None
    service, account = row["service"], row["account"]
    if pd.isna(service) or not service:
        service, account = client.service, client.known_account
    account = None if pd.isna(account) else account
    if title is not None:
        return log.find(service, title, account)
    submission = None if pd.isna(row["id"]) else log.of_tune(service, int(row["id"]), account)
    is_own = submission is not None and submission.tune_id == row["id"]  # otherwise it ran a pack on the tune
    return submission if is_own else None


def _fields_in_row(row: pd.DataFrame) -> dict[str, Any]:
    """Return the fields of a tune from its row; as photos, the copies that the service keeps."""
    record = row.iloc[0].rename({"orig_images": "image_urls"}).to_dict()
    if isinstance(record.get("characteristics"), str):
        record["characteristics"] = json.loads(record["characteristics"])
    values = {
        name: record[name] for name in _ROW_FIELDS if name in record and PLACEHOLDER not in str(record[name])
    }
    return {
        name: value if isinstance(value, str | int | dict) else list(value)
        for name, value in values.items()
        if not pd.api.types.is_scalar(value) or pd.notna(value)
    }
