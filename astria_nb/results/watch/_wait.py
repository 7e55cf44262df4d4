"""Waiting for tunes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Literal

import pandas as pd

from astria_nb.client import Client
from astria_nb.defaults import client_or_default, log_or_default
from astria_nb.errors import Problem, TuneError
from astria_nb.log import Log
from astria_nb.results.frames import tunes_of
from astria_nb.results.watch._latest import record_tunes
from astria_nb.results.watch._poll_result import PollResult
from astria_nb.results.watch._polling import poll_until_finished
from astria_nb.results.watch._recorder import PollRecorder
from astria_nb.rows import Rows
from astria_nb.utils.arguments import check_callable, check_number
from astria_nb.utils.formatting import format_duration, short
from astria_nb.utils.progress import Progress
from astria_nb.utils.warn import warn

_GOALS = {"trained": "be trained", "prompts": "have all pictures"}
_REDRAW = 1.0  # seconds between two updates of the display


def wait(
    frame: Rows,
    client: Client | None = None,
    *,
    until: Literal["trained", "prompts"] = "trained",
    timeout: float | None = None,
    poll: float = 0.5,
    log: Log | None = None,
    done: Callable[[pd.DataFrame], object] | None = None,
) -> pd.DataFrame:
    """Wait for tunes and return their rows in the latest state. Safe to interrupt and call again.

    Tunes are fetched page by page: polling a thousand tunes takes nine requests.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row or many, as `submit` returns them, in any form that `astria_nb.rows.typed` reads.
    client : Client, optional
        Default as in `submit`.
    until : {"trained", "prompts"}
        Wait until the models are trained, or until their pictures are also finished.
    timeout : float, optional
        Maximum seconds to wait; after that, the rows are returned in their current state. A poll that is
        still running continues while the service answers each of its requests within two seconds. Default: no
        limit.
    poll : float
        Seconds between the first two polls, at least 0.01. The interval grows to a minute. It is longer if a
        poll takes many requests or the service answers 429, and shorter when a tune reaches its ``eta``.
    log : ExperimentLog, optional
        The log that records each new state. Default: the log of `submit`, if its file exists.
    done : callable, optional
        Called once with the rows when the wait ends: when all are finished, after `timeout`, and before an
        error is raised, then with the rows in their last known state. It is not called after an interrupt. If
        it fails, a warning is shown, and the rows are returned.

    Returns
    -------
    pandas.DataFrame
        The same rows. A row is also finished if its tune failed, expired or was deleted (``status``
        ``deleted``); the wait continues for the others.

    Warns
    -----
    UserWarning
        `done` failed, or a state could not be recorded.

    Raises
    ------
    TuneError
        These are not tunes, or tunes of another service or account, or `until` is not a valid choice.
    AstriaError
        `done` cannot be called with the rows, or is a coroutine function, or a number is not valid.
    ApiError, NotSentError
        The service refused a poll, or did not answer for more than ten minutes. Nothing is lost; call `wait`
        again.

    Notes
    -----
    The API has no field for the status; it is derived (astria-api, section 6).

    Examples
    --------
    >>> import astria_nb as anb
    >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> with anb.Sandbox(deterministic=True) as sandbox:
    ...     client = sandbox.client()
    ...     row = anb.wait(anb.submit(tune, client), client, poll=0.01)
    >>> row.loc[0, "status"]
    'trained'
    """
    client = client_or_default(client)
    frame = tunes_of(frame, client)
    if not isinstance(until, str) or until not in _GOALS:
        raise TuneError(Problem("until", f"{short(until)} is not known", f"choose {' or '.join(_GOALS)}"))
    timeout = None if timeout is None else check_number("timeout", timeout, "seconds")
    check_callable("done", done, arguments=1)
    if frame.empty:
        _call_back(done, frame)
        return frame
    poll = check_number("poll", poll, "seconds")
    log = log_or_default(log)
    recorder = PollRecorder(log, client.service, client.account)
    goal = f"{'1 tune' if len(frame) == 1 else f'{len(frame)} tunes'} to {_GOALS[until]}"
    try:
        with Progress(f"Waiting for {goal}", patience=0, saved=f"Waited for {goal}.") as progress:
            display = _Display(progress, timeout)
            results = poll_until_finished(
                frame,
                client,
                until,
                poll=poll,
                sleep=display.sleep,
                timeout=math.inf if timeout is None else timeout,
            )
            for result in results:
                frame = result.frame
                display.show(result)
                record_tunes(recorder, log, client, result)
                if display.is_timed_out:
                    break
    except Exception:
        _call_back(done, frame)
        raise
    _call_back(done, frame)
    return frame


def _call_back(done: Callable[[pd.DataFrame], object] | None, frame: pd.DataFrame) -> None:
    if done is None:
        return
    try:
        done(frame.copy())  # its changes must not affect the returned rows
    except Exception as error:  # noqa: BLE001  whatever it is, the rows are returned
        # Without its text, which may contain the secret address of a webhook.
        what = f"done failed ({type(error).__name__}); the rows are returned. Call done(rows) to see why"
        warn(what, is_paid=True)


class _Display:
    """The state of a wait as text, redrawn while it sleeps."""

    def __init__(self, progress: Progress, timeout: float | None) -> None:
        self._progress, self._timeout = progress, timeout
        self._started = time.monotonic()
        self._fraction, self._text = 0.0, ""

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    @property
    def is_timed_out(self) -> bool:
        return self._timeout is not None and self._elapsed >= self._timeout

    def show(self, result: PollResult) -> None:
        seconds = result.seconds_left
        remaining = "" if seconds is None else f"about {format_duration(seconds)} left"
        self._fraction = result.fraction_done
        self._text = ", ".join(filter(None, (result.text, remaining, result.failure)))
        self._redraw()

    def sleep(self, seconds: float) -> None:
        if self._timeout is not None:
            seconds = min(seconds, self._timeout - self._elapsed)
        end = time.monotonic() + seconds
        while (remaining := end - time.monotonic()) > 0:
            time.sleep(min(remaining, _REDRAW))
            self._redraw()

    def _redraw(self) -> None:
        self._progress.update(self._fraction, f"{self._text} · {format_duration(self._elapsed)} elapsed")
