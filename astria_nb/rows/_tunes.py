"""Tunes as typed rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from astria_nb.errors import AstriaError, Problem
from astria_nb.rows._callbacks import redact_callbacks
from astria_nb.rows._records import Records, list_records
from astria_nb.rows._schemas import OWN_COLUMNS, TUNE_SCHEMA
from astria_nb.utils.times import TIME, parse_time
from astria_nb.utils.typed_frame import typed_frame
from astria_nb.utils.typed_table import typed_table


def tune_frame(tunes: Records, now: datetime | None = None) -> pd.DataFrame:
    """Return one typed row per tune.

    Parameters
    ----------
    tunes : iterable of mapping, or mapping
        The API's JSON, as ``client.tunes()`` or ``client.tune(id)`` returns it, with our own ``pack,
        encoding, image_sha256, tune_ids, prompt_ids`` if known, and the ``service`` and ``account`` that made
        them.
    now : datetime, optional
        The service's time, with a time zone, which decides what has expired. Default: this machine's.

    Returns
    -------
    pandas.DataFrame
        Ids ``Int64``, text ``str`` (which pandas 2.2 calls ``string``; missing text is NaN in both), times
        ``datetime64[us, UTC]``, lists Arrow's. ``status`` is ``queued``, ``training``, ``trained``,
        ``failed``, ``expired`` or ``deleted``, or null for a run that made no tune. Undocumented fields come
        after the others. See `flat` and `typed` for storing rows and reading them back.

    Raises
    ------
    TuneError
        One of the tunes is not a JSON object.

    Examples
    --------
    >>> import astria_nb as anb
    >>> row = anb.rows.tune_frame([{"id": 7, "title": "t", "created_at": "2026-01-01T12:00:00.000Z"}])
    >>> row.loc[0, "status"], str(row.dtypes["trained_at"])
    ('queued', 'datetime64[us, UTC]')
    """
    records, now = list_records("tunes", tunes), now or datetime.now(UTC)
    derived = {"status": [tune_status(tune, now) for tune in records]}
    return typed_frame([*map(redact_callbacks, records)], TUNE_SCHEMA, derived)


@cache
def check_frames() -> None:
    """Raise an error if this process cannot make frames: do not pay for a row that cannot be returned.

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
    derived = {"status": [*map(_lasting_status, tunes)]}
    return typed_table([*map(redact_callbacks, tunes)], TUNE_SCHEMA, derived)


def with_expiry(table: pa.Table, now: datetime | pa.Scalar | pa.ChunkedArray | None = None) -> pa.Table:
    """Return a `tune_table` with the status ``expired`` for tunes that have expired.

    Parameters
    ----------
    table : pyarrow.Table
    now : datetime, pyarrow.Scalar or pyarrow.ChunkedArray, optional
        The service's time, with a time zone, or that of each row's service. Default: this machine's.

    Returns
    -------
    pyarrow.Table
    """
    is_arrow = isinstance(now, pa.Scalar | pa.ChunkedArray)
    time = now if is_arrow else pa.scalar(now or datetime.now(UTC), TIME)
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
