"""Letting one process at a time look whether a request is on record, and record it.

In a file, one process at a time writes. On a server all do, and a submission that another transaction has not
committed cannot be seen: both would be recorded, and paid for.
"""

from __future__ import annotations

import sqlite3

from astria_nb.log._sql import Cursor, SqlConnection
from astria_nb.tune import Request

# The claim itself is the row of the submission. This only makes those who are about to look for an equal one
# wait for each other, until the end of their transactions, with which it ends as well.
_QUEUE = """
    SELECT pg_advisory_xact_lock(key) FROM (
        SELECT DISTINCT hashtextextended(name, 0) AS key FROM (VALUES (:title), (:content)) AS names (name)
        WHERE name IS NOT NULL ORDER BY key
    ) AS keys
"""
# After the wait: of equal requests, the later one has the larger id.
_NEW_ID = "SELECT nextval('submission_id_seq')"


def queue_for(connection: SqlConnection, recorded: Request) -> Cursor | None:
    """Wait for those who are about to record a request of the same title or content.

    Parameters
    ----------
    connection : SqlConnection
        In a transaction that writes; what follows sees what the others have committed.
    recorded : Request
        Without secrets.

    Returns
    -------
    Cursor or None
        Of the id that it may have; a file has its ids at hand.
    """
    if isinstance(connection, sqlite3.Connection):
        return None
    title = None if recorded.title is None else f"title {recorded.service} {recorded.title.strip()}"
    content = f"content {recorded.service} {recorded.content_fingerprint}"
    connection.execute(_QUEUE, {"title": title, "content": content})
    return connection.execute(_NEW_ID)  # not fetched here: it comes with the answer to the next query
