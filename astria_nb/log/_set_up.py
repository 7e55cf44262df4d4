"""Creating the tables of a log, and bringing an older file up to date."""

from __future__ import annotations

import sqlite3

import sqlalchemy as sa

from astria_nb.log import _checksums as checksums
from astria_nb.log import _serialization as serialization
from astria_nb.log._schema import APPLICATION, VERSION, metadata
from astria_nb.log._statements import ROW_CHECKSUM
from astria_nb.utils.service_address import one_spelling

_FIRST_WITH_CHECKSUMS = 4  # a format
# Of so many that the first opening takes a second or two longer. Not of runs without a title: one that has a
# fingerprint, and was done, is handed out before it is run again.
_FINGERPRINT_CONTENT = """
    UPDATE submission SET content_fingerprint = content_of(
        (SELECT json FROM body WHERE sha256 = request), fingerprint, service, account
    ) WHERE title IS NOT NULL AND id > (SELECT max(id) FROM submission) - 50000
"""
# Format 3 has no checksums, one account, and each address as it was spelled. Where two spellings have the
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
"""Name, number of arguments, and function: what each connection has to know."""


def set_up(connection: sa.Connection) -> None:
    """Create the tables, or add to those of an older file what they lack."""
    version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    metadata.create_all(connection)
    for table in metadata.sorted_tables:
        _add_columns(connection, table)
    if version < VERSION:
        for index in [index for table in metadata.sorted_tables for index in table.indexes]:
            connection.execute(sa.schema.CreateIndex(index, if_not_exists=True))
        for statement in _FROM_FORMAT_3 if version < _FIRST_WITH_CHECKSUMS else ():
            connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION}")
    connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")


def up_to_date(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Return a connection to a file that cannot be written, or to a copy in memory if the file is older."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version >= VERSION:
        return connection
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.backup(copy)
    connection.close()
    for function in FUNCTIONS:
        copy.create_function(*function, deterministic=True)
    engine = sa.create_engine("sqlite://", creator=lambda: copy, poolclass=sa.pool.StaticPool)
    with engine.connect() as upgraded:
        set_up(upgraded)
        upgraded.commit()
    return copy


def _add_columns(connection: sa.Connection, table: sa.Table) -> None:
    existing = {row[1] for row in connection.exec_driver_sql(f'PRAGMA table_info("{table.name}")')}
    for column in table.columns:
        if column.name not in existing:
            kind = column.type.compile(connection.dialect)
            connection.exec_driver_sql(f'ALTER TABLE "{table.name}" ADD COLUMN "{column.name}" {kind}')
