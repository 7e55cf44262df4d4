"""Which submissions somebody works on: a thread of this process, or another process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from astria_nb.log import Log, Submission, environment

# By the identity of each log.
_at_work: set[tuple[object, int]] = set()
_planning: list[object] = []  # the log of each thread that is recording an intent
if hasattr(os, "register_at_fork"):  # a child process does not have those threads
    os.register_at_fork(after_in_child=_planning.clear)
    os.register_at_fork(after_in_child=_at_work.clear)


@contextmanager
def planning(log: Log) -> Iterator[None]:
    """Keep other threads of this process away from what is planned here, until `working_on` begins."""
    planned = log.identity
    _planning.append(planned)
    try:
        yield
    finally:
        _planning.remove(planned)


@contextmanager
def working_on(log: Log, submission: Submission) -> Iterator[None]:
    """Keep other threads of this process from treating a submission as left open."""
    key = log.identity, submission.id
    _at_work.add(key)
    try:
        yield
    finally:
        _at_work.discard(key)


def is_left_open(log: Log, submission: Submission) -> bool:
    """Return whether nobody works on a submission that is not settled."""
    is_own = submission.session == environment.session().id
    # In this order: a thread enters `working_on` before it leaves `planning`.
    if is_own and submission.version == 0 and log.identity in _planning:
        return False
    if (log.identity, submission.id) in _at_work:
        return False
    if is_own:
        return True
    return submission.state == "unknown" or log.is_abandoned(submission)
