"""Tunes in their latest state, after one poll that is recorded in the log."""

from __future__ import annotations

import pandas as pd

from astria_nb.client import Client
from astria_nb.errors import LogError
from astria_nb.log import Log
from astria_nb.results.watch._poll_result import PollResult
from astria_nb.results.watch._poller import Poller
from astria_nb.results.watch._recorder import PollRecorder
from astria_nb.utils.warn import warn


def latest(frame: pd.DataFrame, client: Client, log: Log) -> pd.DataFrame:
    """Return tunes in their latest state, without waiting; new states are recorded.

    Parameters
    ----------
    frame : pandas.DataFrame
        Typed rows. Only unfinished tunes are fetched.
    client : Client
    log : Log

    Raises
    ------
    ApiError, NotSentError
        The service refused, or could not be reached.
    """
    result = Poller(frame, client, "trained").poll()
    record_tunes(PollRecorder(log, client.service, client.account), log, client, result)
    return result.frame


def record_tunes(recorder: PollRecorder, log: Log, client: Client, result: PollResult) -> None:
    """Record changed tunes in a log whose file exists; only warn if it cannot be written.

    Parameters
    ----------
    recorder : PollRecorder
    log : Log
    client : Client
    result : PollResult
    """
    unsure = list[str]()
    try:
        for tune in result.changed_tunes if log.exists() else ():
            # By title: the recorder would search the whole log for an unknown tune.
            title = tune.get("title")
            submission = log.find(client.service, str(title), client.account) if title else None
            if submission is not None and submission.tune_id == tune["id"]:
                recorder.record_tune(tune)
                is_unsure = submission.request.account is None and client.account is not None
                if is_unsure and tune.get("status") == "deleted":
                    unsure.append(str(tune["id"]))
    except LogError as error:
        warn(f"the new state of a tune was not recorded ({error})")
    if unsure:
        its, it = ("its state", "it") if len(unsure) == 1 else ("their states", "them")
        warn(
            f"not on the account of this key ({client.account}): tune {', '.join(unsure)}. The log does not "
            f"say whose, and keeps {its}: if another account has {it}, pass a client with the key of that one"
        )
