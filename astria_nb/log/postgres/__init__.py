"""The log in a database of PostgreSQL: the same tables and the same promises as in a file."""

from astria_nb.log.postgres._set_up import SCHEMA
from astria_nb.log.postgres._store import PostgresStore, exists

__all__ = ["SCHEMA", "PostgresStore", "exists"]
