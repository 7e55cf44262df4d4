"""Submit many tunes: check all of them, then send each exactly once."""

from __future__ import annotations

import threading
from collections.abc import Collection, Hashable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Literal, get_args

import pandas as pd

from astria_nb.client import Client
from astria_nb.defaults import client_or_default, log_or_default
from astria_nb.errors import Problem, TuneError
from astria_nb.images import Preprocessing
from astria_nb.log import Log
from astria_nb.submission._options import TIMEOUT_SECONDS, SubmitOptions
from astria_nb.submission.batch._display import BatchDisplay
from astria_nb.submission.batch._pace import Pace
from astria_nb.submission.batch._sending import QuietObserver
from astria_nb.submission.batch._stop import BatchStop
from astria_nb.submission.batch._table import read_tunes
from astria_nb.submission.batch._work import Work
from astria_nb.tune import Encoding
from astria_nb.tune.plain import as_integer
from astria_nb.utils.arguments import check_bool, check_callable, check_max_cost, check_number
from astria_nb.utils.formatting import short
from astria_nb.utils.interrupts import shielded
from astria_nb.utils.progress import ReportProgress

OnError = Literal["collect", "raise"]
_DAY = 86400
_MOST_WORKERS = 256
_EXECUTORS = "give a concurrent.futures.Executor, such as dask_client.get_executor(pure=False, retries=0)"


def submit_many(
    tunes: pd.DataFrame | Iterable[Any],
    client: Client | None = None,
    *,
    max_workers: int = 8,
    rate: float | None = None,
    executor: Executor | None = None,
    log: Log | None = None,
    max_cost: float | None = None,
    on_error: OnError = "collect",
    skip_invalid: bool = False,
    ignore: Collection[Hashable] = (),
    encoding: Encoding | None = None,
    idempotent: bool | None = None,
    once: bool = False,
    settle: float | None = None,
    keep_metadata: bool = False,
    keep_damaged: bool = False,
    max_side: int | None = None,
    timeout: float = TIMEOUT_SECONDS,
    say: ReportProgress | None = None,
) -> pd.DataFrame:
    """Create many tunes, each once, and return their rows in the order of the input.

    All rows are checked first, and nothing is sent if one is wrong. Then each is sent as by `submit`. The
    call can be interrupted, and its process can be killed, at any time: repeat the call, and it continues
    without sending anything twice. If a service loses one answer after the other, the remaining rows are not
    sent.

    A notebook shows the progress and, in JupyterLab and Notebook 7, a button: Cancel sends no more rows,
    waits for those in progress, and returns the rows. A terminal shows a line, and a log file gets one every
    half minute.

    Parameters
    ----------
    tunes : DataFrame or iterable of (Tune or mapping)
        A row for each tune, with the fields of `Tune` as columns. ``characteristics.eye_color`` and
        ``prompt_attributes.num_images`` are entries of a field that is a mapping. A missing value of any kind
        means an absent field. Instead of ``title`` there may be a column ``key``, from which the title is
        made; without both, it is made from the row's values. Two rows that are equal on purpose need
        different keys.
    client : Client, optional
        As in `submit`.
    max_workers : int
        Maximum number of rows in progress, 1 to 256, also with an executor; each has its own connection.
    rate : float, optional
        Maximum number of paid tunes a second. Default: only the service's own limit, which slows down all
        workers together.
    executor : concurrent.futures.Executor, optional
        Sends the tunes: a ``ProcessPoolExecutor``, or, with the extra ``dask``,
        ``dask_client.get_executor(pure=False, retries=0)``. Workers in other processes use the key in their
        own environment, files at the same paths, and the same log, which has to be in PostgreSQL for several
        machines. A worker with another log, key or version sends nothing, and the row says so. Runs on
        existing tunes are sent from this process. Default: threads of this process.
    log : ExperimentLog, optional
        As in `submit`.
    max_cost : float, optional
        US dollars, for all rows together.
    on_error : {"collect", "raise"}
        What to do if the service refuses a row: continue, and report it in the row; or send no more rows, and
        raise the error once those in progress have ended.
    skip_invalid : bool
        Send the other rows if some are wrong.
    ignore : collection of str
        Your own columns, which are not fields of a tune.
    encoding, idempotent, once, settle, keep_metadata, max_side, keep_damaged : optional
        As in `submit`, for each row.
    timeout : float
        Seconds for each row. Default: 3600.
    say : callable, optional
        Called with a fraction from 0 to 1 and a text, instead of a progress display.

    Returns
    -------
    pandas.DataFrame
        The columns of `astria_nb.rows.tune_frame`, with times in UTC and the index of the input. Also
        ``submission``, its number in the log; ``state``: ``done`` or ``adopted`` if the tune exists,
        ``rejected``, ``not_sent`` or ``invalid`` if not, ``sending`` if another process is sending it,
        ``unknown`` or ``needs_review`` if the outcome is unknown; ``planned_at``, when it was first recorded;
        ``error``: what went wrong, and what to do.

    Raises
    ------
    BatchError
        Rows are wrong, or the batch costs more than `max_cost`. Nothing was sent; `frame` lists all problems.
    AstriaError
        An argument is not valid, a pack or the account could not be read, or the log could not be written;
        nothing was sent. With ``on_error="raise"``: the error of the first row that failed. A row whose
        answer was lost has failed if its tune was not found; until that is known, no more rows are sent.

    Examples
    --------
    >>> import astria_nb as anb, pandas as pd
    >>> tunes = pd.DataFrame({"key": ["a", "b"], "pack": 43, "name": ["cat", "man"]})
    >>> tunes["image_urls"] = [["https://example.com/1.jpg"], ["https://example.com/2.jpg"]]
    >>> with anb.Sandbox(deterministic=True) as sandbox:
    ...     frame = anb.submit_many(tunes, sandbox.client(), max_cost=20)
    >>> frame[["title", "name", "state"]].to_dict("records")  # doctest: +NORMALIZE_WHITESPACE
    [{'title': 'batch-a', 'name': 'cat', 'state': 'done'},
     {'title': 'batch-b', 'name': 'man', 'state': 'done'}]
    """
    check_callable("say", say, arguments=2)
    stop, caller = BatchStop(), threading.current_thread()
    display = BatchDisplay(say, stop)

    def options() -> SubmitOptions:
        return SubmitOptions(
            client=client_or_default(client, pays=True),
            log=log_or_default(log),
            observer=QuietObserver(),
            encoding=encoding,
            preprocessing=Preprocessing(keep_metadata, max_side, keep_damaged),
            settle=None if settle is None else check_number("settle", settle, "seconds", maximum=_DAY),
            timeout=check_number("timeout", timeout, "seconds", maximum=_DAY, allow_zero=False),
            idempotent=check_bool("idempotent", idempotent),
            repeat="return" if check_bool("once", once) else "send",
            warns=False,
            waits=False,
        )

    def call() -> pd.DataFrame:
        if on_error not in get_args(OnError):
            what = f"{short(on_error)} is not known"
            raise TuneError(Problem("on_error", what, "choose 'collect' or 'raise'"))
        pool = _check_executor(executor, caller)
        workers = _check_workers(max_workers)
        most = None if rate is None else check_number("rate", rate, "tunes a second", allow_zero=False)
        with display:
            work = Work(
                table=read_tunes(tunes, ignore=ignore),
                options=options(),
                executor=pool,
                max_cost=check_max_cost(max_cost),
                announces=not once,
                observer=display,
            )
            work.check(skip_invalid=check_bool("skip_invalid", skip_invalid))
            return work.run(
                workers=workers,
                pace=Pace(most),
                stop=stop,
                stops_at_error=on_error == "raise",
            )

    return shielded(call)  # an interrupt after this would lose the rows


def _check_workers(value: object) -> int:
    number = as_integer(value)
    if number is None or not 1 <= number <= _MOST_WORKERS:
        hint = f"give a number from 1 to {_MOST_WORKERS}"
        raise TuneError(Problem("max_workers", f"{short(value)} is not a number of workers", hint))
    return number


def _check_executor(value: object, caller: threading.Thread) -> Executor | None:
    if value is not None and not isinstance(value, Executor):
        raise TuneError(Problem("executor", f"{short(value)} is not an executor", _EXECUTORS))
    if isinstance(value, ThreadPoolExecutor) and _runs_in(value, caller):
        hint = "give another one, or none: the rows and this call would wait for each other"
        raise TuneError(Problem("executor", "is the pool that this call runs in", hint))
    return value


def _runs_in(pool: ThreadPoolExecutor, thread: threading.Thread) -> bool:
    with pool._shutdown_lock:
        return thread in pool._threads
