"""The time of each service: a service's clock may differ considerably from this machine's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from astria_nb.utils.service_clocks import clocks
from astria_nb.utils.times import TIME

# A tune is created within the timeout of `submit` after it was planned, which is at most a day: anything more
# is a difference between two clocks, as with a deterministic sandbox.
_FAR = 24 * 3600 * 1_000_000  # microseconds
_NEAR = 60 * 1_000_000  # a difference that does not matter


def service_times(table: pa.Table, sent: Sequence[int]) -> pa.ChunkedArray | pa.Scalar:
    """Return the current time by the clock of each row's service.

    The clock of a service that this process has used is known; others are estimated from their latest tune.

    Parameters
    ----------
    table : pyarrow.Table
        Rows of the log, oldest first.
    sent : sequence of int
        Submissions whose tune was found after it was sent.

    Returns
    -------
    pyarrow.ChunkedArray or pyarrow.Scalar
        One for each row, or a single one if all clocks are close to this machine's.
    """
    now = pa.scalar(datetime.now(UTC), TIME)
    ahead = clocks_ahead(table, sent)
    for service, difference in clocks().items():
        ahead[service] = round(difference.total_seconds()) * 1_000_000
    ahead = {service: difference for service, difference in ahead.items() if abs(difference) > _NEAR}
    if not ahead:
        return now
    position = pc.index_in(table["service"], pa.array(list(ahead)))
    differences = pc.take(pa.array(list(ahead.values()), pa.duration("us")), position)
    return pc.coalesce(pc.add(now, differences), now)


def clocks_ahead(table: pa.Table, sent: Sequence[int]) -> dict[str, int]:
    """Return by how many microseconds clocks are ahead, according to the latest tune of each service.

    Parameters
    ----------
    table, sent : pyarrow.Table, sequence of int
        As for `service_times`.
    """
    ahead = pc.subtract(table["created_at"], table["planned_at"]).cast(pa.int64())
    # Other tunes that were found on the account may have been created long before they were planned here.
    is_own = pc.equal(table["state"], "done")
    if sent:
        is_own = pc.or_(is_own, pc.is_in(table["submission"], pa.array(sent, pa.int64())))
    ahead = pc.if_else(is_own, ahead, None)
    if not pc.any(_is_far(ahead)).as_py():
        return {}
    tunes = pa.table({"service": table["service"], "ahead": ahead}).filter(pc.is_valid(ahead))
    latest = tunes.group_by("service", use_threads=False).aggregate([("ahead", "last")])
    latest = latest.filter(_is_far(latest["ahead_last"]))
    return dict(zip(latest["service"].to_pylist(), latest["ahead_last"].to_pylist(), strict=True))


def _is_far(ahead: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.or_(pc.greater(ahead, _FAR), pc.less(ahead, -_FAR))
