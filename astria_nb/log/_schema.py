"""The tables of the experiment log, in SQLite's dialect; `astria_nb.log.postgres` translates parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from astria_nb.log._states import RELEASED, UNSETTLED

VERSION = 6
"""Version of the tables. A change only adds tables or nullable columns, and increments this."""
APPLICATION = 0x61737472
"""SQLite's application id of a log: "astr"."""


@dataclass(frozen=True, slots=True)
class LogTable:
    """A table.

    Attributes
    ----------
    name : str
    columns : mapping of str to str
        The type and the constraints of each column.
    """

    name: str
    columns: Mapping[str, str]

    @property
    def create(self) -> str:
        """The statement that creates it, unless it exists."""
        columns = ", ".join(f"{name} {definition}" for name, definition in self.columns.items())
        return f"CREATE TABLE IF NOT EXISTS {self.name} ({columns})"


# Times are microseconds since 1970 in UTC: every database compares them, and Arrow reads them directly.
session = LogTable(
    "session",
    {
        "id": "TEXT NOT NULL PRIMARY KEY",
        "started_at": "BIGINT NOT NULL",
        "host": "TEXT",
        "place": "TEXT",
        "pid": "BIGINT",
        "process_started": "TEXT",
        "python": "TEXT",
        "packages": "TEXT",
        "git_commit": "TEXT",
        "git_dirty": "BOOLEAN",
        "notebook": "TEXT",
    },
)
body = LogTable("body", {"sha256": "BLOB NOT NULL PRIMARY KEY", "json": "TEXT NOT NULL"})
submission = LogTable(
    "submission",
    {
        "id": "INTEGER PRIMARY KEY AUTOINCREMENT",  # ids are not reused after `prune`
        "service": "TEXT NOT NULL",
        "account": "TEXT",  # the account's id on the service; null if unknown
        "title": "TEXT COLLATE BINARY",
        "state": "TEXT NOT NULL",
        "version": "INTEGER NOT NULL",
        "attempt": "INTEGER NOT NULL",
        "tune_id": "BIGINT",
        "newest_known_id": "BIGINT",
        "request": "BLOB NOT NULL REFERENCES body (sha256)",
        "fingerprint": "TEXT NOT NULL",
        "content_fingerprint": "TEXT",  # null in some rows of format 3
        "image_sha256": "TEXT",
        "record": "BLOB REFERENCES body (sha256)",
        "problem": "TEXT",
        "planned_at": "BIGINT NOT NULL",
        "changed_at": "BIGINT NOT NULL",
        "session": "TEXT NOT NULL REFERENCES session (id)",
        "uptime": "BIGINT",  # uptime of the writing machine, in microseconds, at `changed_at`
        "sealed": "BIGINT",  # the segment that holds the current row, if there is one
        "checksum": "BIGINT",  # of `astria_nb.log._checksums.of_row`
        "labels": "TEXT",  # the JSON of `astria_nb.log._labels.Labels`; null if there are none
    },
)
# A cache, derived from the other tables: thousands of rows of the frame as one Arrow value.
segment = LogTable(
    "segment",
    {
        "id": "INTEGER PRIMARY KEY",
        "rows": "INTEGER NOT NULL",
        "arrow": "BLOB NOT NULL",
        "checksum": "BIGINT",  # of `astria_nb.log._checksums.of_segment`
    },
)
event = LogTable(
    "event",
    {
        "id": "INTEGER PRIMARY KEY AUTOINCREMENT",
        "at": "BIGINT NOT NULL",
        "kind": "TEXT NOT NULL",
        "submission": "BIGINT REFERENCES submission (id)",
        "session": "TEXT NOT NULL REFERENCES session (id)",
        "service": "TEXT",
        "title": "TEXT",
        "tune_id": "BIGINT",
        "attempt": "INTEGER",
        "state": "TEXT",
        "fingerprint": "TEXT",
        "reply": "BLOB REFERENCES body (sha256)",
        "problem": "TEXT",
    },
)
TABLES = (session, body, submission, segment, event)
"""Tables, each after those that it refers to."""


def listed(states: tuple[str, ...]) -> str:
    """Return states as part of a statement: SQLite uses a partial index only for literals."""
    return "({})".format(", ".join(f"'{state}'" for state in states))


MAY_EXIST = f"submission.state NOT IN {listed(RELEASED)}"
"""Whether a submission's tune may be on the service."""
IS_UNSETTLED = f"submission.state IN {listed(UNSETTLED)}"
_INDEXES = {
    "claimed_by_account": "submission (service, title, coalesce(account, '')) "
    f"WHERE title IS NOT NULL AND state NOT IN {listed(RELEASED)}",
    "submission_of_title": "submission (service, title)",
    "submission_of_tune": "submission (tune_id)",
    "submission_of_content": "submission (content_fingerprint) WHERE content_fingerprint IS NOT NULL",
    "submission_in_state": "submission (state)",
    "submission_unsettled": f"submission (service, id) WHERE state IN {listed(UNSETTLED)}",
    # The columns that determine a frame's rows (`since` and labels), so that the table need not be read.
    "submission_planned": "submission (planned_at, labels)",
    "submission_not_sealed": "submission (id) WHERE sealed IS NULL",
    "submission_in_segment": "submission (sealed) WHERE sealed IS NOT NULL",
    "event_of_submission": "event (submission)",
    # Without these, each body that `prune` deletes would scan the tables that may refer to it.
    "event_of_reply": "event (reply) WHERE reply IS NOT NULL",
    "submission_of_request": "submission (request)",
    "submission_of_record": "submission (record) WHERE record IS NOT NULL",
}
_UNIQUE = ("claimed_by_account",)


def create_indexes(more: Mapping[str, str]) -> list[str]:
    """Return the statements that create missing indexes, including those of one kind of database."""
    return [
        f"CREATE {'UNIQUE ' if name in _UNIQUE else ''}INDEX IF NOT EXISTS {name} ON {columns}"
        for name, columns in (_INDEXES | dict(more)).items()
    ]
