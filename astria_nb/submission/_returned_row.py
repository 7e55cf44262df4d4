"""The row that a submission returns. Its tune is paid for, so it is returned whatever fails."""

from __future__ import annotations

from contextlib import suppress

import pandas as pd

from astria_nb import rows
from astria_nb.log import Submission
from astria_nb.submission._notices import reason_of
from astria_nb.submission._options import SubmitOptions
from astria_nb.utils.interrupts import arrival
from astria_nb.utils.warn import warn


def row_of(submission: Submission, options: SubmitOptions) -> pd.DataFrame:
    """Return the row of a submission whose tune exists; the log then knows that it was returned."""
    if submission.title is None or submission.state == "adopted":
        with suppress(Exception):  # then the next call returns this row again, which costs nothing
            options.log.note_returned(submission, arrival())
    record, now = submission.record or {}, options.client.now()
    try:
        return rows.tune_frame([record | submission.origin], now)
    except Exception as error:  # noqa: BLE001  the tune is paid for: whatever failed, its row is returned
        warn(f"the row lacks what the service answered ({reason_of(error)})", is_paid=True)
        what_is_certain = submission.own_fields | submission.origin
        return rows.tune_frame([{**what_is_certain, "id": submission.tune_id or record.get("id")}])
