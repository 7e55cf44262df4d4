"""Creating the tables of a log, and upgrading an older file."""

from __future__ import annotations

import sqlite3

from astria_nb.log import _checksums as checksums
from astria_nb.log import _serialization as serialization
from astria_nb.log._connection import LogConnection
from astria_nb.log._schema import APPLICATION, TABLES, VERSION, LogTable, create_indexes
from astria_nb.log._statements import ROW_CHECKSUM
from astria_nb.utils.service_address import one_spelling

_FIRST_WITH_CHECKSUMS = 4  # a format
# A PostgreSQL index entry has at most 2,704 bytes.
_LABELS = {"submission_with_labels": "submission (labels) WHERE labels IS NOT NULL"}
# Limited, so that the first opening takes only a second or two longer. Runs without a title are left out: a
# run that has a fingerprint and is done is returned before it is run again.
_FINGERPRINT_CONTENT = """
    UPDATE submission SET content_fingerprint = content_of(
        (SELECT json FROM body WHERE sha256 = request), fingerprint, service, account
    ) WHERE title IS NOT NULL AND id > (SELECT max(id) FROM submission) - 50000
"""
# Format 3 has no checksums, one account, and addresses in their original spelling. If two spellings have the
# same title, the second keeps its own, since a title belongs to one submission.
_FROM_FORMAT_3 = (
    "DROP INDEX IF EXISTS claimed_title",
    "DELETE FROM segment",
    "UPDATE OR IGNORE submission SET service = one_spelling(service) WHERE service <> one_spelling(service)",
    _FINGERPRINT_CONTENT,
    f"UPDATE submission SET sealed = NULL, checksum = {ROW_CHECKSUM}",  # noqa: S608  names of columns
)


def content_of(text: str | None, fingerprint: str, service: str, account: str | None) -> str | None:
    """Return the content's fingerprint of a stored request, or None if it is damaged."""
    try:
        return serialization.to_request(str(text), fingerprint, None, service, account).content_fingerprint
    except Exception:  # noqa: BLE001  it is told when it is read
        return None


FUNCTIONS = (
    ("row_checksum", len(checksums.COLUMNS), checksums.of_row),
    ("one_spelling", 1, one_spelling),
    ("content_of", 4, content_of),
)
"""Name, number of arguments, and function, which each connection has to register."""


def set_up(connection: sqlite3.Connection) -> None:
    """Create the tables, or add the missing parts to those of an older file."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for table in TABLES:
        connection.execute(table.create)
        _add_columns(connection, table)
    for statement in create_indexes(_LABELS):
        connection.execute(statement)
    for statement in _FROM_FORMAT_3 if version < _FIRST_WITH_CHECKSUMS else ():
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def up_to_date(connection: LogConnection) -> LogConnection:
    """Return a connection to a file that cannot be written, or to a copy in memory if the file is older."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version >= VERSION:
        return connection
    copy = LogConnection(":memory:", isolation_level=None, check_same_thread=False)
    connection.backup(copy)
    connection.close()
    for function in FUNCTIONS:
        copy.create_function(*function, deterministic=True)
    copy.execute("BEGIN")
    set_up(copy)
    copy.commit()
    return copy


def _add_columns(connection: sqlite3.Connection, table: LogTable) -> None:
    existing = {row[1] for row in connection.execute(f"PRAGMA table_info({table.name})")}
    for name, definition in table.columns.items():
        if name not in existing:
            connection.execute(f"ALTER TABLE {table.name} ADD COLUMN {name} {definition}")
