"""Running many small jobs in a few threads, which end at once on an interrupt."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import TypeVar

_JOIN_SECONDS = 3.0
_TICK = 0.2  # seconds

T = TypeVar("T")
U = TypeVar("U")


def map_in_threads(
    work: Callable[[T], U],
    items: Sequence[T],
    threads: int,
    stop: threading.Event,
    cancel: Callable[[], None],
) -> Iterator[list[U]]:
    """Yield results in batches as they come; a batch is empty if nothing was finished for a moment.

    If the iteration is left early or a job raises, no further job starts, and the running ones have three
    seconds to end.

    Parameters
    ----------
    work : callable
        The job.
    items : sequence
    threads : int
        The maximum number of threads.
    stop : threading.Event
        No further job starts once it is set.
    cancel : callable
        Sets `stop` and cancels the running jobs.
    """
    waiting: queue.SimpleQueue[T] = queue.SimpleQueue()
    for item in items:
        waiting.put(item)
    # Bounded: each result holds an open file.
    finished: queue.Queue[Future[U]] = queue.Queue(maxsize=8 * threads)
    # A ThreadPoolExecutor would keep Python from exiting while a host does not answer.
    workers = [
        threading.Thread(
            target=_work, args=(work, waiting, finished, stop), name="astria_nb download", daemon=True
        )
        for _ in range(min(threads, len(items)))
    ]
    remaining, is_complete = len(items), False
    try:
        for thread in workers:
            thread.start()
        while remaining:
            futures = _take_all(finished)
            remaining -= len(futures)
            yield [future.result() for future in futures if future.exception() is None]
            for future in futures:
                future.result()
        is_complete = True
    finally:
        if not is_complete:
            cancel()
        end = time.monotonic() + _JOIN_SECONDS
        for thread in workers:
            if thread.ident is not None:
                thread.join(max(0.0, end - time.monotonic()))


def _take_all(finished: queue.Queue[Future[U]]) -> list[Future[U]]:
    futures = []
    try:
        futures.append(finished.get(timeout=_TICK))
        while True:
            futures.append(finished.get_nowait())
    except queue.Empty:
        return futures


def _work(
    work: Callable[[T], U],
    waiting: queue.SimpleQueue[T],
    finished: queue.Queue[Future[U]],
    stop: threading.Event,
) -> None:
    while not stop.is_set():
        try:
            item = waiting.get_nowait()
        except queue.Empty:
            return
        future: Future[U] = Future()
        try:
            future.set_result(work(item))
        except BaseException as error:  # noqa: BLE001  raised where the result is read
            future.set_exception(error)
        while not stop.is_set():
            try:
                finished.put(future, timeout=_TICK)
                break
            except queue.Full:
                continue
