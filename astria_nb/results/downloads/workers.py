"""Many small jobs on a few threads, which an interrupt ends at once."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

_PATIENCE = 3.0  # seconds for the threads to leave what they are in
_STEP = 0.2

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class _Failure:
    error: BaseException


def in_parallel(
    work: Callable[[T], U],
    items: Sequence[T],
    threads: int,
    stop: threading.Event,
    cancel: Callable[[], None],
) -> Iterator[list[U]]:
    """Yield what a job makes of each item as it comes, all that there is at a time; now and then nothing.

    Where the iteration is left early, or a job raises, no other job is begun. The threads are given a moment
    then to leave theirs; they keep no program from ending.

    Parameters
    ----------
    work : callable
        The job.
    items : sequence
    threads : int
    stop : threading.Event
        Set by anyone, no other job is begun.
    cancel : callable
        Sets `stop`, and ends jobs that wait.
    """
    waiting: queue.SimpleQueue[T] = queue.SimpleQueue()
    for item in items:
        waiting.put(item)
    done: queue.Queue[U | _Failure] = queue.Queue(maxsize=8 * threads)
    args = (work, waiting, done, stop)
    crew = [
        threading.Thread(target=_run, args=args, name="astria_nb download", daemon=True)
        for _ in range(min(threads, len(items)))
    ]
    left = len(items)
    try:
        for thread in crew:
            thread.start()
        while left:
            found = _all_there(done)
            left -= len(found)
            yield [each for each in found if not isinstance(each, _Failure)]
            for each in found:
                if isinstance(each, _Failure):
                    left = max(left, 1)
                    raise each.error
    finally:
        if left:
            cancel()
        until = time.monotonic() + _PATIENCE
        for thread in crew:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))


def _all_there(done: queue.Queue[U | _Failure]) -> list[U | _Failure]:
    found = []
    try:
        found.append(done.get(timeout=_STEP))
        while True:
            found.append(done.get_nowait())
    except queue.Empty:
        return found


def _run(
    work: Callable[[T], U],
    waiting: queue.SimpleQueue[T],
    done: queue.Queue[U | _Failure],
    stop: threading.Event,
) -> None:
    while not stop.is_set():
        try:
            item = waiting.get_nowait()
        except queue.Empty:
            return
        outcome: U | _Failure
        try:
            outcome = work(item)
        except BaseException as error:  # noqa: BLE001  raised where it is awaited
            outcome = _Failure(error)
        while not stop.is_set():
            try:
                done.put(outcome, timeout=_STEP)
                break
            except queue.Full:
                continue
