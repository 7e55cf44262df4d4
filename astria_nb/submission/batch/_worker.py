"""A worker in another process, which sends rows with its own key, log and files."""

from __future__ import annotations

import pickle
import platform
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache

from astria_nb.client import Client
from astria_nb.errors import AstriaError, CredentialsError, LogError, Problem, TuneError, UnauthorizedError
from astria_nb.log import Log
from astria_nb.submission import _account as account_state
from astria_nb.submission._options import SubmitOptions
from astria_nb.submission.batch._parcel import WorkerTask, package_version
from astria_nb.submission.batch._row_outcome import RowOutcome, of_error
from astria_nb.submission.batch._sending import QuietObserver, send
from astria_nb.tune import Request
from astria_nb.utils.formatting import quoted
from astria_nb.utils.redaction import redact_name

_logs: dict[object, Log] = {}  # by their paths; they stay open for later rows
_confirmed: set[tuple[object, str]] = set()  # logs, each with a process that has written to it


def send_parcel(version: str | None, content: bytes, _id: str) -> RowOutcome:
    """Send a row unless it is already recorded; raises no error.

    However often this runs, the row is sent once: the log decides.

    Parameters
    ----------
    version : str or None
        Version of the package that made the parcel.
    content : bytes
        A pickled `WorkerTask`.
    _id : str
        Unique, so that an executor does not take two tasks for the same one.
    """
    with _interrupts_ignored():
        try:
            task = _task(version, content)
            client, log = _client(task.base_url, task.account, task.key_end), _log(task)
        except AstriaError as error:
            return of_error(error, was_sent=False)
        outcome = send(task.tune, task.pack, _options(task, client, log))
        if isinstance(outcome.error, UnauthorizedError):
            _client.cache_clear()  # the key in the environment may be replaced
        return _with_place(outcome)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Ignore Ctrl-C, which terminals and Jupyter also send to processes that a notebook has started.

    It is meant for the process that hands out rows, which waits for rows in progress.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if handler is None else handler)


def _task(version: str | None, content: bytes) -> WorkerTask:
    own_version = package_version()
    if version != own_version:
        what = f"is {own_version} on the worker {platform.node()}, and {version} where the batch runs"
        raise AstriaError(Problem("astria_nb", what, "install the same version on all workers"))
    try:
        task: WorkerTask = pickle.loads(content)  # noqa: S301  from the process that owns the executor
    except Exception as error:  # noqa: BLE001  images in memory may be of any class
        what = f"cannot be read on the worker {platform.node()} ({type(error).__name__}: {error})"
    else:
        return task
    raise AstriaError(Problem("tune", what, "install the same packages on all workers"))


@lru_cache(8)
def _client(base_url: str, account: str | None, key_end: str) -> Client:
    """Return a client of this process for the account that pays; errors are not cached."""
    try:
        client = Client(base_url=base_url)
    except CredentialsError as error:
        reason = "; ".join(problem.what for problem in error.problems)
    else:
        return _checked(client, account, key_end)
    what = f"is missing on the worker {platform.node()} ({reason})"
    hint = "set ASTRIA_API_KEY in the environment of the workers: a key is not sent with a tune"
    raise CredentialsError(Problem("api_key", what, hint))


def _checked(client: Client, account: str | None, key_end: str) -> Client:
    # If the service does not report the account of a key, the keys themselves have to be the same.
    if client.account == account and (account is not None or client.key_end == key_end):
        return client
    place = f"on the worker {platform.node()}"
    if account is not None and client.account is None:
        what = f"cannot be compared with yours {place}: the service does not report its account"
        raise CredentialsError(Problem("api_key", what, "run the batch again"))
    what = f"is of another account {place} ({client.key_end}) than yours ({key_end})"
    raise CredentialsError(Problem("api_key", what, "set ASTRIA_API_KEY to your key on all workers"))


def _log(task: WorkerTask) -> Log:
    """Return this process's log at the path or address of the task's log.

    Raises
    ------
    LogError
        It is a different log from the one that records the batch.
    """
    log = _logs.setdefault(task.log.path, task.log)
    confirmed = log.path, task.session
    if confirmed not in _confirmed:
        if not log.is_registered(task.session):
            place = quoted(redact_name(str(log.path)))
            what = f"{place} on the worker {platform.node()} is not the log of this batch"
            hint = "use a log that all workers reach: in one folder, or in a database such as PostgreSQL"
            raise LogError(Problem("log", what, hint))
        _confirmed.add(confirmed)
    return log


def _options(task: WorkerTask, client: Client, log: Log) -> SubmitOptions:
    newest_id = task.newest_id

    def look(client: Client, request: Request) -> account_state.AccountState:
        if newest_id is None:
            return account_state.look(client, request)
        return account_state.AccountState(newest_id)

    return SubmitOptions(
        client=client,
        log=log,
        observer=QuietObserver(),
        encoding=task.encoding,
        preprocessing=task.preprocessing,
        timeout=task.timeout,
        idempotent=task.idempotent,
        repeat=task.repeat,
        warns=False,
        waits=False,
        look=look,
    )


def _with_place(outcome: RowOutcome) -> RowOutcome:
    """Return an outcome whose error about images names the worker."""
    error = outcome.error
    if not isinstance(error, TuneError) or not any(problem.field == "images" for problem in error.problems):
        return outcome
    hint = "let all workers find it at the same path, or give an address such as s3://…, or its bytes"
    problems = (
        replace(problem, what=f"{problem.what} on the worker {platform.node()}", hint=hint)
        if problem.field == "images"
        else problem
        for problem in error.problems
    )
    return replace(outcome, error=TuneError(*problems))
