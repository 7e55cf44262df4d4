"""The time of each service, for what depends on it: a service's clock may be far from this machine's."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from astria_nb.utils.arrow import TIME

# A tune is created within the timeout of `submit` after it was planned, and that is a day at most: what is
# more is the difference of two clocks, such as that of a deterministic sandbox.
_FAR = 24 * 3600 * 1_000_000  # microseconds


def service_times(table: pa.Table) -> pa.ChunkedArray | pa.Scalar:
    """Return the time by the clock of each row's service, as far as its latest tune tells it.

    Parameters
    ----------
    table : pyarrow.Table
        Rows of the log, oldest first.

    Returns
    -------
    pyarrow.ChunkedArray or pyarrow.Scalar
        One for each row, or a single one if no clock is far from this machine's.
    """
    now = pa.scalar(datetime.now(UTC), TIME)
    ahead = pc.subtract(table["created_at"], table["planned_at"]).cast(pa.int64())
    # A tune that was found on the account may have been created long before it was planned here.
    ahead = pc.if_else(pc.equal(table["state"], "done"), ahead, None)
    if not pc.any(_is_far(ahead)).as_py():
        return now
    clocks = pa.table({"service": table["service"], "ahead": ahead}).filter(pc.is_valid(ahead))
    latest = clocks.group_by("service", use_threads=False).aggregate([("ahead", "last")])
    latest = latest.filter(_is_far(latest["ahead_last"]))
    position = pc.index_in(table["service"], latest["service"].combine_chunks())
    ahead = pc.take(latest["ahead_last"], position).cast(pa.duration("us"))
    return pc.coalesce(pc.add(now, ahead), now)


def _is_far(ahead: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.or_(pc.greater(ahead, _FAR), pc.less(ahead, -_FAR))
