"""The rows of a batch, in the order of its input."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import pandas as pd
import pyarrow as pa

from astria_nb import rows
from astria_nb.submission.batch._row_outcome import RowOutcome
from astria_nb.tune import Tune
from astria_nb.utils.arrow_to_pandas import to_pandas
from astria_nb.utils.concat_tables import concat_tables
from astria_nb.utils.times import TIME
from astria_nb.utils.typed_frame import typed_frame

_CHUNK = 256  # rows whose values are in memory twice
_OWN = pa.schema({"submission": pa.int64(), "state": pa.string(), "planned_at": TIME, "error": pa.string()})


def frame_of(
    outcomes: Sequence[RowOutcome], tunes: Sequence[Tune | None], index: pd.Index[Any], now: datetime
) -> pd.DataFrame:
    """Return a row for each tune with its known values, and ``submission, state, planned_at, error``.

    Parameters
    ----------
    outcomes : sequence of RowOutcome
    tunes : sequence of (Tune or None)
    index : pandas.Index
    now : datetime
        The service's time, with a time zone.
    """
    records = (
        (outcome.record if tune is None else _record(outcome, tune)) or {}
        for outcome, tune in zip(outcomes, tunes, strict=True)
    )
    tables = []
    while part := list(islice(records, _CHUNK)):
        tables.append(rows.tune_table(part))
    frame = to_pandas(rows.with_expiry(concat_tables(tables, rows.TUNE_SCHEMA), now))
    own = typed_frame(
        [
            {
                "submission": outcome.submission,
                "state": outcome.state,
                "planned_at": outcome.planned_at,
                "error": None if outcome.error is None else str(outcome.error),
            }
            for outcome in outcomes
        ],
        _OWN,
    )
    for name in _OWN.names:
        frame[name] = own[name]
    return frame.set_axis(index)


def _record(outcome: RowOutcome, tune: Tune) -> dict[str, Any]:
    pack = tune.pack if isinstance(tune.pack, int) else None
    return outcome.record or {"title": tune.title, "name": tune.name, "pack": pack}
