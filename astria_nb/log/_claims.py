"""Lets one process at a time check whether a request is recorded, and record it.

In a file, one process writes at a time. On a server, all processes write at once, and cannot see a submission
that another transaction has not committed: both would be recorded, and paid for.
"""

from __future__ import annotations

import sqlite3

from astria_nb.log._sql import Cursor, SqlConnection
from astria_nb.tune import Request

# The claim itself is the row of the submission. This lock only makes processes that look for an equal one
# wait for each other, until the end of their transactions.
_QUEUE = """
    SELECT pg_advisory_xact_lock(key) FROM (
        SELECT DISTINCT hashtextextended(name, 0) AS key FROM (VALUES (:title), (:content)) AS names (name)
        WHERE name IS NOT NULL ORDER BY key
    ) AS keys
"""
# After the wait: of equal requests, the later one has the larger id.
_NEW_ID = "SELECT nextval('submission_id_seq')"


def queue_for(connection: SqlConnection, recorded: Request) -> Cursor | None:
    """Wait for others that are about to record a request with the same title or content.

    Parameters
    ----------
    connection : SqlConnection
        In a transaction that writes; later statements see what the others have committed.
    recorded : Request
        Without secrets.

    Returns
    -------
    Cursor or None
        Cursor for a new id; None for a file, where ids are known.
    """
    if isinstance(connection, sqlite3.Connection):
        return None
    title = None if recorded.title is None else f"title {recorded.service} {recorded.title.strip()}"
    content = f"content {recorded.service} {recorded.content_fingerprint}"
    connection.execute(_QUEUE, {"title": title, "content": content})
    return connection.execute(_NEW_ID)  # not fetched here: it arrives with the answer to the next query
