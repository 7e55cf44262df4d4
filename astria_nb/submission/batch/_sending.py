"""Sending one tune of a batch: in a thread of this process, or in a worker that builds its own client."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from astria_nb.client import Client
from astria_nb.client.deadline import Deadline
from astria_nb.client.retry import retry_after_seconds
from astria_nb.errors import AstriaError, CredentialsError, Problem, TooManyRequestsError
from astria_nb.images import Preprocessing
from astria_nb.log import Log, Precedents
from astria_nb.submission._account import AccountState
from astria_nb.submission._exactly_once import ExactlyOnce
from astria_nb.submission._options import Repeat, SubmitOptions
from astria_nb.submission.batch._row_outcome import RowOutcome, of_error, of_submission
from astria_nb.tune import Body, Encoding, Pack, Request, Tune, opened


class QuietObserver:
    """A `SubmitObserver` that shows nothing: what each row ends as is in the frame."""

    def on_sent(self, sent: int, total: int, /) -> None:
        """Do nothing."""

    def on_wait(self, fraction: float, text: str, /) -> None:
        """Do nothing."""

    def on_notice(self, text: str, /) -> None:
        """Do nothing."""


def send(
    tune: Tune,
    pack: Pack,
    options: SubmitOptions,
    precedents: Precedents | None = None,
    request: Request | None = None,
) -> RowOutcome:
    """Send a tune unless it is on record already, and return what became of it; raises no error.

    Parameters
    ----------
    tune : Tune
        Its images may be unopened.
    pack : Pack
    options : SubmitOptions
        That do not wait: what was lost is looked for later, and a 429 is waited for by the whole batch.
    precedents : Precedents, optional
        What the log had before. Default: it is read.
    request : Request, optional
        Of the tune. Default: it is made.
    """
    body: Body | None = None
    try:
        with Deadline(options.timeout) as deadline:
            one = ExactlyOnce(opened(tune), options, deadline)
            with one.encode() as body:
                request = request or one.request(pack, body)
                known = options.log.precedents(request) if precedents is None else precedents
                return of_submission(one.submit(pack, body, request, known))
    except TooManyRequestsError as error:
        seconds = retry_after_seconds(error.retry_after, options.client.now())
        outcome = of_error(error, was_sent=True)
        return replace(outcome, retry_after=-1.0 if seconds is None else seconds)
    except AstriaError as error:
        return of_error(error, was_sent=_was_sent(body))
    except Exception as error:  # noqa: BLE001  one row must not end the others
        what = f"failed ({type(error).__name__}: {error})"
        hint = "run the batch again, which looks for it first"
        return of_error(AstriaError(Problem("tune", what, hint)), was_sent=_was_sent(body))


def _was_sent(body: Body | None) -> bool:
    return body is not None and body.yielded == len(body)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerTask:
    """One tune to send, as it travels to a worker. It holds no key: a worker has its own.

    Attributes
    ----------
    tune : Tune
    pack : Pack
    base_url, account : str
        Of the client whose account is to pay; `account` is None if the service does not tell it.
    newest_id : int
        Of the tunes on the account before the batch, of which none has this title.
    log : Log
    encoding, preprocessing, timeout, repeat, idempotent
        As in `SubmitOptions`.
    """

    tune: Tune
    pack: Pack
    base_url: str
    account: str | None
    newest_id: int
    log: Log
    encoding: Encoding | None
    preprocessing: Preprocessing
    timeout: float
    repeat: Repeat
    idempotent: bool


def send_in_worker(task: WorkerTask) -> RowOutcome:
    """Send a tune from another process, with the key of its environment."""
    try:
        client = _client(task.base_url, task.account)
    except AstriaError as error:
        return of_error(error, was_sent=False)
    newest_id = task.newest_id

    def look(_client: Client, _request: Request) -> AccountState:
        return AccountState(newest_id)

    options = SubmitOptions(
        client=client,
        log=_log(task.log),
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
    return send(task.tune, task.pack, options)


@lru_cache(8)
def _client(base_url: str, account: str | None) -> Client:
    """Return a client of this process for an account; it stays open for the tunes that follow."""
    try:
        client = Client(base_url=base_url)
        if client.account == account:
            return client
        what = f"of the worker is of another account ({client.account}) than yours ({account})"
        problem = Problem("api_key", what, "set ASTRIA_API_KEY to the same key on all workers")
    except CredentialsError as error:
        reason = "; ".join(problem.what for problem in error.problems)
        hint = "a key does not travel with a tune: set ASTRIA_API_KEY in the environment of the workers"
        problem = Problem("api_key", f"is missing on a worker ({reason})", hint)
    raise CredentialsError(problem)


_logs: dict[object, Log] = {}


def _log(log: Log) -> Log:
    """Return the log of this process at the place of another one's; it stays open."""
    return _logs.setdefault(log.path, log)
