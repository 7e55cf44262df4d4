"""Runs without a title whose callers were told to submit them again to get their rows."""

from __future__ import annotations

from astria_nb.log import HAS_TUNE, Log, Submission

_awaited: set[tuple[object, int]] = set()  # the identity of the log, and the number of the run


def note_awaited(log: Log, run: Submission) -> None:
    """Note that the caller was told to wait for a run, and to submit it again to get its row."""
    _awaited.add((log.identity, run.id))


def take_awaited(log: Log, run: Submission) -> bool:
    """Return whether a run has the row that its caller waits for, and forget it: the caller gets it now."""
    key = log.identity, run.id
    if run.state not in HAS_TUNE or key not in _awaited:
        return False
    _awaited.discard(key)
    return True
