"""The log in a PostgreSQL database, with the same tables and guarantees as in a file."""

from astria_nb.log.postgres._set_up import SCHEMA
from astria_nb.log.postgres._store import PostgresStore, exists

__all__ = ["SCHEMA", "PostgresStore", "exists"]
