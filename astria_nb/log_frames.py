"""The log as typed frames."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from astria_nb import rows
from astria_nb.log_book import Book
from astria_nb.log_read import moment
from astria_nb.log_schema import body, event, submission
from astria_nb.log_states import RELEASED
from astria_nb.request import Difference

_TIME = pa.timestamp("us", "UTC")
EVENT = pa.schema(
    {
        "id": pa.int64(),
        "at": _TIME,
        "kind": pa.string(),
        "submission": pa.int64(),
        "session": pa.string(),
        "service": pa.string(),
        "title": pa.string(),
        "tune_id": pa.int64(),
        "attempt": pa.int64(),
        "state": pa.string(),
        "fingerprint": pa.string(),
        "reply": pa.string(),
        "problem": pa.string(),
    }
)
OURS = pa.schema(
    {
        "submission": pa.int64(),
        "service": pa.string(),
        "state": pa.string(),
        "planned_at": _TIME,
        "problem": pa.string(),
    }
)


def submissions(book: Book) -> pd.DataFrame:
    """Return a row per submission; see `astria_nb.log.Log.frame`."""
    later = submission.alias("later")
    planned_again = sa.exists().where(
        later.c.service == submission.c.service,
        later.c.title == submission.c.title,
        later.c.id > submission.c.id,
    )
    asked, told = body.alias("asked"), body.alias("told")
    query = (
        sa.select(
            submission.c.id.label("submission"),
            submission.c.service,
            submission.c.state,
            submission.c.planned_at,
            submission.c.problem,
            submission.c.image_sha256,
            # What was asked matters only until the service told of the tune.
            sa.case((submission.c.record.is_(None), asked.c.json)).label("asked"),
            told.c.json.label("told"),
        )
        .join(asked, asked.c.sha256 == submission.c.request)
        .outerjoin(told, told.c.sha256 == submission.c.record)
        .where(~(submission.c.state.in_(RELEASED) & planned_again))
        .order_by(submission.c.id)
    )
    with book.store.read() as connection:
        found = [row._asdict() for row in connection.execute(query)]
    frame = rows.tune_frame([_tune(row) for row in found])
    ours = rows.typed_frame(
        [
            {name: moment(row[name]) if name == "planned_at" else row[name] for name in OURS.names}
            for row in found
        ],
        OURS,
    )
    # Should the service have a field of such a name, ours is meant.
    others = frame.drop(columns=OURS.names, errors="ignore")
    both: pd.DataFrame = pd.concat([others, ours], axis="columns")
    return both


def events(book: Book) -> pd.DataFrame:
    """Return a row per event; see `astria_nb.log.Log.events`."""
    columns = [event.c[name] for name in EVENT.names if name != "reply"]
    query = (
        sa.select(*columns, body.c.json.label("reply"))
        .outerjoin(body, body.c.sha256 == event.c.reply)
        .order_by(event.c.id)
    )
    with book.store.read() as connection:
        found = [row._asdict() for row in connection.execute(query)]
    return rows.typed_frame([{**row, "at": moment(row["at"])} for row in found], EVENT)


def differences_frame(found: Sequence[Difference]) -> pd.DataFrame:
    """Return differences as text, a row each."""
    schema = pa.schema({"field": pa.string(), "a": pa.string(), "b": pa.string()})
    return rows.typed_frame([{"field": each.field, "a": each.a, "b": each.b} for each in found], schema)


def _tune(row: Mapping[str, Any]) -> dict[str, Any]:
    if row["told"] is not None:
        return dict(json.loads(row["told"]))
    asked = json.loads(row["asked"])
    parameters = asked["parameters"]
    return {
        **{key: parameters[key] for key in rows.TUNE.names if key in parameters},
        "title": asked["title"],
        "pack": asked["pack"],
        "encoding": asked["encoding"],
        "image_sha256": json.loads(row["image_sha256"]) if row["image_sha256"] else None,
    }
