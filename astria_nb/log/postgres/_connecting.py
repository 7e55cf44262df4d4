"""Connections to a server: their options, their settings, and a name that identifies each."""

from __future__ import annotations

import uuid
from time import monotonic
from typing import Any

import psycopg
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import QueuePool

from astria_nb.log._server_address import ServerAddress
from astria_nb.log.postgres._set_up import SCHEMA

_MOST_CONNECTIONS = 8  # per process: a cluster's workers share the server's connections, often 100
_TRUSTED = 1.0  # seconds since its last use for which a connection is assumed to be alive
_USED_AT = "astria_nb used at"
NAME = "astria_nb connection"
"""The key of a connection's name in the pool's record."""
# Defaults that an address may override. Without them, a call would wait a quarter of an hour for a server
# whose machine is gone.
_DEFAULTS = {
    "connect_timeout": "10", "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}  # fmt: skip
_SETTINGS = """
    SELECT
        set_config('search_path', %(schema)s, false),
        set_config('lock_timeout', %(timeout)s, false),
        set_config('idle_in_transaction_session_timeout', '600s', false),
        -- Each query finds its few rows by an index. To plan it takes longer than to run it, and without
        -- statistics, as after a copy, the plan would read all rows.
        set_config('plan_cache_mode', 'force_generic_plan', false),
        set_config('enable_seqscan', 'off', false),
        set_config('enable_hashjoin', 'off', false),
        set_config('enable_mergejoin', 'off', false),
        set_config('jit', 'off', false),
        set_config('synchronous_commit', CASE current_setting('synchronous_commit')
            WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)
"""


def connect(address: ServerAddress) -> psycopg.Connection[Any]:
    """Return a new connection."""
    options: dict[str, Any] = _DEFAULTS | address.connect_options()
    if "," in options.get("host", "") + options.get("hostaddr", ""):
        options.setdefault("target_session_attrs", "read-write")  # the primary of several servers
    # With its own name in the server's list of activity.
    options["application_name"] = (
        f"{options.get('application_name', 'astria_nb')[:40]} {uuid.uuid4().hex[:16]}"
    )
    connection: psycopg.Connection[Any] = psycopg.connect(**options)
    return connection


def pool_for(address: ServerAddress, timeout: float) -> QueuePool:
    """Return a pool that replaces connections after a restart of the server.

    Parameters
    ----------
    address : ServerAddress
    timeout : float
        Seconds to wait for a lock, and for a connection of the pool.
    """
    creator: Any = lambda: connect(address)  # noqa: E731  SQLAlchemy's type of a connection is not psycopg's
    # The user of a connection ends its transaction: the pool would print errors.
    pool = QueuePool(
        creator,
        pool_size=_MOST_CONNECTIONS,
        max_overflow=0,
        timeout=timeout,
        use_lifo=True,
        reset_on_return=None,
    )

    @event.listens_for(pool, "connect")
    def on_connect(connection: psycopg.Connection[Any], record: Any) -> None:
        record.info[NAME] = connection.info.get_parameters()["application_name"]
        milliseconds = f"{round(timeout * 1000)}ms"
        connection.execute(_SETTINGS, {"schema": SCHEMA, "timeout": milliseconds})
        connection.commit()

    @event.listens_for(pool, "checkin")
    def on_checkin(_: object, record: Any) -> None:
        record.info[_USED_AT] = monotonic()

    @event.listens_for(pool, "checkout")
    def on_checkout(connection: psycopg.Connection[Any], record: Any, _: object) -> None:
        # As `pool_pre_ping` does each time. One that was just used and is dead costs one transaction that is
        # run again.
        if monotonic() - record.info.get(_USED_AT, monotonic()) > _TRUSTED and not _answers(connection):
            raise DisconnectionError  # the pool opens another one

    return pool


def _answers(connection: psycopg.Connection[Any]) -> bool:
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except psycopg.Error:
        return False
    return True
