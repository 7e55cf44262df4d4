"""The log's tables in a database of PostgreSQL: in a schema of their own, beside whatever else is there."""

from __future__ import annotations

from typing import Any, NoReturn

import psycopg
import sqlalchemy as sa

from astria_nb.log._schema import APPLICATION, VERSION, metadata
from astria_nb.log._selects import HAS_BLANKS
from astria_nb.log._server_address import ServerAddress
from astria_nb.log.postgres._errors import refuse

SCHEMA = "astria_nb"
# Not by to_regclass, which may remember how it was before a wait for a lock.
_TABLES = f"SELECT tablename FROM pg_tables WHERE schemaname = '{SCHEMA}'"  # noqa: S608  a constant
_HAS_SCHEMA = f"SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = '{SCHEMA}')"  # noqa: S608
_FORMAT = f"SELECT version FROM {SCHEMA}.format WHERE application = {APPLICATION}"  # noqa: S608  constants
# Those of few rows, for queries that would read all of them.
_INDEXES = {
    "submission_with_blanks": f"(service) WHERE {HAS_BLANKS}",
    "submission_labelled": "(id) WHERE labels IS NOT NULL",
}
_COLUMNS = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = :schema"


def is_there(connection: psycopg.Connection[Any]) -> bool:
    """Return whether a database has a log."""
    return ("format",) in connection.execute(_TABLES).fetchall()


def set_up(engine: sa.Engine, address: ServerAddress) -> None:
    """Create the tables, or add what those of an older version lack; those of a newer one are refused.

    Raises
    ------
    LogError
        The schema belongs to another program, or its format is newer.
    """
    with engine.connect() as connection:
        if _version(connection, address) == VERSION:
            return  # also if this user may only read
    with engine.begin() as connection:
        # Two processes that begin at once: the second one finds all done.
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(APPLICATION)))
        version = _version(connection, address)
        if version == VERSION:
            return
        if not connection.exec_driver_sql(_HAS_SCHEMA).scalar_one():
            connection.execute(sa.schema.CreateSchema(SCHEMA))
        if version is None:
            connection.exec_driver_sql(
                f"CREATE TABLE {SCHEMA}.format (application int, version int NOT NULL)"
            )
            row = {"application": APPLICATION, "version": VERSION}
            insert = f"INSERT INTO {SCHEMA}.format VALUES (:application, :version)"  # noqa: S608  a constant
            connection.execute(sa.text(insert), row)
        else:
            _add_columns(connection)
            update = f"UPDATE {SCHEMA}.format SET version = {VERSION}"  # noqa: S608  constants
            connection.exec_driver_sql(update)
        metadata.create_all(connection)
        for name, columns in _INDEXES.items():
            connection.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS {name} ON submission {columns}")


def _version(connection: sa.Connection, address: ServerAddress) -> int | None:
    """Return the version of the tables, or None if there are none."""
    tables = connection.exec_driver_sql(_TABLES).scalars().all()
    if not tables:
        return None
    is_ours = {("format", "application"), ("format", "version")} <= _existing_columns(connection)
    version = connection.exec_driver_sql(_FORMAT).scalar() if is_ours else None
    if version is None:
        _refuse_foreign(address)
    if version > VERSION:
        what = f"was written by a newer astria_nb (format {version}; this version reads up to {VERSION})"
        refuse(address, what, "upgrade astria_nb, or give another database; nothing in it was changed")
    return int(version)


def _existing_columns(connection: sa.Connection) -> set[tuple[str, str]]:
    rows = connection.execute(sa.text(_COLUMNS), {"schema": SCHEMA})
    return {(table, column) for table, column in rows}


def _refuse_foreign(address: ServerAddress) -> NoReturn:
    what = f"has a schema {SCHEMA!r} of another program"
    refuse(address, what, "give another database, for the log alone: CREATE DATABASE …")


def _add_columns(connection: sa.Connection) -> None:
    existing = _existing_columns(connection)
    names = {table for table, _ in existing}
    for table in metadata.sorted_tables:
        for column in table.columns if table.name in names else ():
            if (table.name, column.name) not in existing:
                kind = column.type.compile(connection.dialect)
                connection.exec_driver_sql(f'ALTER TABLE "{table.name}" ADD COLUMN "{column.name}" {kind}')
