"""Waiting for tunes and their prompts; the only place that polls."""

from astria_nb.results.watch._latest import latest
from astria_nb.results.watch._poll_result import PollResult
from astria_nb.results.watch._poller import Poller
from astria_nb.results.watch._polling import poll_until_finished
from astria_nb.results.watch._prompts import prompts, prompts_of
from astria_nb.results.watch._recorder import PollRecorder
from astria_nb.results.watch._states import FINAL_STATES
from astria_nb.results.watch._wait import wait

__all__ = [
    "FINAL_STATES",
    "PollRecorder",
    "PollResult",
    "Poller",
    "latest",
    "poll_until_finished",
    "prompts",
    "prompts_of",
    "wait",
]
