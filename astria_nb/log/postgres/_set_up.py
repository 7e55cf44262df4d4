"""The log's tables in a PostgreSQL database, in their own schema beside other content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import psycopg

from astria_nb.log._schema import APPLICATION, TABLES, VERSION, create_indexes
from astria_nb.log._selects import HAS_BLANKS
from astria_nb.log._server_address import ServerAddress
from astria_nb.log.postgres._errors import refuse

SCHEMA = "astria_nb"
# Not with to_regclass, which may return the state from before a wait for a lock.
_TABLES = f"SELECT tablename FROM pg_tables WHERE schemaname = '{SCHEMA}'"  # noqa: S608  a constant
_HAS_SCHEMA = f"SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = '{SCHEMA}')"  # noqa: S608
_FORMAT = f"SELECT version FROM {SCHEMA}.format WHERE application = {APPLICATION}"  # noqa: S608  constants
# Partial indexes on few rows, for queries that would read all rows.
_INDEXES = {
    "submission_with_blanks": f"submission (service) WHERE {HAS_BLANKS}",
    "submission_labelled": "submission (id) WHERE labels IS NOT NULL",
}
_COLUMNS = f"""
    SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = '{SCHEMA}'
"""  # noqa: S608  a constant
# Differences from SQLite's dialect. SQLite sorts titles by their bytes.
_WORDS = {
    "INTEGER PRIMARY KEY AUTOINCREMENT": "BIGSERIAL PRIMARY KEY",
    "INTEGER PRIMARY KEY": "BIGINT PRIMARY KEY",
    "BLOB": "BYTEA",
    "COLLATE BINARY": 'COLLATE "C"',
}


def is_there(connection: psycopg.Connection[Any]) -> bool:
    """Return whether a database has a log."""
    return ("format",) in connection.execute(_TABLES).fetchall()


def set_up(connection: psycopg.Connection[Any], address: ServerAddress) -> None:
    """Create the tables, or add the missing parts of an older version; a newer version is refused.

    Raises
    ------
    LogError
        The schema belongs to another program, or its format is newer.
    """
    try:
        if _version(connection, address) == VERSION:
            return  # also if this user has read access only
    finally:
        connection.rollback()
    with connection.transaction():
        # If two processes start at once, the second one finds everything done.
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [APPLICATION])
        version = _version(connection, address)
        if version != VERSION:
            for statement in _statements(connection, version):
                connection.execute(statement.encode())


def _statements(connection: psycopg.Connection[Any], version: int | None) -> Iterator[str]:
    """Yield the statements that create the tables, or upgrade those of an older version."""
    if connection.execute(_HAS_SCHEMA).fetchone() == (False,):
        yield f"CREATE SCHEMA {SCHEMA}"
    if version is None:
        yield f"CREATE TABLE {SCHEMA}.format (application int, version int NOT NULL)"
        yield f"INSERT INTO {SCHEMA}.format VALUES ({APPLICATION}, {VERSION})"  # noqa: S608  constants
    else:
        yield f"UPDATE {SCHEMA}.format SET version = {VERSION}"  # noqa: S608  constants
    existing = _existing_columns(connection)
    names = {table for table, _ in existing}
    for table in TABLES:
        yield _translated(table.create)
        for name, definition in table.columns.items() if table.name in names else ():
            if (table.name, name) not in existing:
                yield _translated(f"ALTER TABLE {table.name} ADD COLUMN {name} {definition}")
    yield from create_indexes(_INDEXES)


def _version(connection: psycopg.Connection[Any], address: ServerAddress) -> int | None:
    """Return the version of the tables, or None if there are none."""
    if connection.execute(_TABLES).fetchone() is None:
        return None
    is_ours = {("format", "application"), ("format", "version")} <= _existing_columns(connection)
    row = connection.execute(_FORMAT).fetchone() if is_ours else None
    if row is None:
        _refuse_foreign(address)
    version = int(row[0])
    if version > VERSION:
        what = f"was written by a newer astria_nb (format {version}; this version reads up to {VERSION})"
        refuse(address, what, "upgrade astria_nb, or give another database; nothing in it was changed")
    return version


def _existing_columns(connection: psycopg.Connection[Any]) -> set[tuple[str, str]]:
    return set(connection.execute(_COLUMNS).fetchall())


def _refuse_foreign(address: ServerAddress) -> NoReturn:
    what = f"has a schema {SCHEMA!r} of another program"
    refuse(address, what, "give another database, for the log alone: CREATE DATABASE …")


def _translated(statement: str) -> str:
    for word, translated in _WORDS.items():
        statement = statement.replace(word, translated)
    return statement
