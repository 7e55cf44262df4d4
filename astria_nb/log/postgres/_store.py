"""The log's database on a server, whose transactions are run again if the server goes away."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any, NoReturn

import psycopg
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool

from astria_nb.errors import LogError
from astria_nb.log._checksums import DamagedError
from astria_nb.log._reruns import TransactionLost, again_if_lost
from astria_nb.log._server_address import ServerAddress
from astria_nb.log._sql import SqlConnection
from astria_nb.log.postgres._connecting import NAME, connect, pool_for
from astria_nb.log.postgres._errors import is_gone, is_in_the_way, problem_of
from astria_nb.log.postgres._outage import Outage
from astria_nb.log.postgres._set_up import is_there, set_up
from astria_nb.log.postgres._transaction import Transaction
from astria_nb.utils.interrupts import sleep

_BEGIN_TO_WRITE, _BEGIN_TO_READ = "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
_IS_RUNNING = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s"
_HAS_EVENT = """
    SELECT 1 FROM event
    WHERE submission IS NOT DISTINCT FROM CAST(%(submission)s AS bigint)
        AND session = %(session)s AND at = %(at)s AND kind = %(kind)s
"""
_PAUSE = 0.05  # seconds


class PostgresStore:
    """An open log on a server.

    A transaction that is lost with its connection raises `TransactionLost`: none of it was written. If the
    connection is lost during COMMIT, the store first finds out whether the transaction was committed.

    Parameters
    ----------
    address : ServerAddress
    timeout : float
        Seconds to wait for a lock of another process, and for a free connection.

    Raises
    ------
    LogError
        The server cannot be reached, or this version cannot use the database.
    """

    is_lost = False

    def __init__(self, address: ServerAddress, timeout: float) -> None:
        self._address = address
        self._use(pool_for(address, timeout))
        self._outage = Outage(address)
        _stores.add(self)
        self._set_up()

    def check(self) -> None:
        """Do nothing: a database only changes through its server."""

    def pop_notice(self) -> None:
        """Return None: everything is reported when it happens."""

    def shrink(self) -> None:
        """Do nothing: the server does this itself."""

    def close(self) -> None:
        """Close every connection; the next use opens them again."""
        self._pool.dispose()
        self._use(self._pool.recreate())  # connections in use do not return to the pool

    @contextmanager
    def writing(self) -> Iterator[SqlConnection]:
        """Yield a connection in its own transaction, which is on disk when the context ends."""
        with self._rerunnable(), self._connection() as pooled:
            transaction, name = Transaction(_driver(pooled)), pooled.info[NAME]
            try:
                with transaction.running(_BEGIN_TO_WRITE):
                    yield transaction
                return
            except psycopg.OperationalError as error:
                if not is_gone(error):
                    raise
                cause = error
            if not self._was_committed(transaction, name):
                self._raise_lost(cause)

    @contextmanager
    def reading(self, *, checked: bool = True) -> Iterator[SqlConnection]:  # noqa: ARG002  a file's
        """Yield a connection that reads a consistent state of the database."""
        with (
            self._rerunnable(),
            self._connection() as pooled,
            Transaction(_driver(pooled)).running(_BEGIN_TO_READ) as transaction,
        ):
            yield transaction

    def naming_errors(self) -> AbstractContextManager[None]:
        """Turn errors of this database into a `LogError` that names it, within a transaction of another."""
        return self._rerunnable()

    def forget_connections(self) -> None:
        """Leave the connections, and the threads' state of the server, to the parent of this process."""
        self._outage = Outage(self._address)
        self._disposal.detach()
        self._use(self._pool.recreate())

    def _use(self, pool: QueuePool) -> None:
        self._pool, self._disposal = pool, weakref.finalize(self, pool.dispose)

    def _connect(self) -> None:
        self._pool.connect().close()

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        """Yield a connection of the pool, which is returned to the pool unless it is lost."""
        with closing(self._pool.connect()) as pooled:
            try:
                yield pooled
            finally:
                _end_transaction(_driver(pooled))
                if _driver(pooled).closed:
                    pooled.invalidate()

    @again_if_lost
    def _set_up(self) -> None:
        """Create the tables; waits for a server that has answered this process before."""
        errors = self._rerunnable() if self._address in _reached else _plain_errors(self._address)
        with errors, self._connection() as pooled:
            set_up(_driver(pooled), self._address)
        _reached.add(self._address)

    @contextmanager
    def _rerunnable(self) -> Iterator[None]:
        """Turn errors of the server into a `LogError`: `TransactionLost` if it can be run again."""
        try:
            yield
            return
        except (psycopg.Error, PoolTimeoutError, DamagedError) as error:
            cause = error
        self._raise_lost(cause)

    def _raise_lost(self, cause: Exception) -> NoReturn:
        problem = problem_of(self._address, cause)
        if is_gone(cause):
            raise TransactionLost(
                problem, lambda _, seconds: self._outage.wait(self._connect, seconds)
            ) from None
        if is_in_the_way(cause):
            raise TransactionLost(problem, lambda runs, _: self._outage.pause(runs)) from None
        raise LogError(problem) from None

    def _was_committed(self, transaction: Transaction, name: str) -> bool:
        """Return whether a transaction was committed although its connection was lost."""
        while True:
            self._end(name)
            if not transaction.is_ending or transaction.latest_event is None:
                return False
            try:
                with self._connection() as pooled:
                    row = _driver(pooled).execute(_HAS_EVENT, transaction.latest_event).fetchone()
                    return row is not None
            except psycopg.OperationalError as error:
                if not is_gone(error):
                    raise

    def _end(self, name: str) -> None:
        """End the server's side of a lost connection: it might commit, or hold a lock."""
        while True:
            self._outage.wait(self._connect)
            try:
                with self._connection() as pooled:
                    driver = _driver(pooled)
                    driver.execute(_TERMINATE, [name])
                    while driver.execute(_IS_RUNNING, [name]).fetchone() is not None:
                        driver.rollback()  # each transaction sees a single state of the list
                        sleep(_PAUSE)
                    return
            except psycopg.OperationalError as error:
                if not is_gone(error):
                    raise


def exists(address: ServerAddress) -> bool:
    """Return whether there is a log at an address.

    Raises
    ------
    LogError
        The server cannot be queried.
    """
    with _plain_errors(address), closing(connect(address)) as connection:
        return is_there(connection)


def _end_transaction(driver: psycopg.Connection[Any]) -> None:
    try:
        driver.rollback()
    except psycopg.Error:  # the server has ended it
        driver.close()


def _driver(pooled: Any) -> psycopg.Connection[Any]:
    driver = pooled.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


@contextmanager
def _plain_errors(address: ServerAddress) -> Iterator[None]:
    """Turn errors of a server that has not answered this process before into a `LogError`."""
    try:
        yield
        return
    except (psycopg.Error, PoolTimeoutError) as error:
        problem = problem_of(address, error)
    raise LogError(problem) from None


_reached: set[ServerAddress] = set()
_stores: weakref.WeakSet[PostgresStore] = weakref.WeakSet()


def _leave_to_parent() -> None:
    for store in list(_stores):
        store.forget_connections()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
