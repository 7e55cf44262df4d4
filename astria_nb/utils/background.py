"""Work that must not hold up the kernel: look-ups, submissions, pictures."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any

_LEAVE = 2.0  # seconds that Python's end waits for a thread to leave what it is in


@cache
def _pool(name: str, threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=threads, thread_name_prefix=f"astria_nb_{name}")


def start(work: Callable[..., Any], *args: Any) -> Future[Any]:
    """Run a call at once; the future tells when it is over and what became of it.

    A submission does not wait until look-ups of a service that does not answer are given up.
    """
    return _pool("work", 64).submit(work, *args)


def start_waiting(work: Callable[..., Any], *args: Any) -> Future[Any]:
    """Do so for what may take long, such as a picture from elsewhere; a submission does not wait for it."""
    return _pool("pictures", 4).submit(work, *args)


def start_seen(work: Callable[..., Any], *args: Any) -> Future[Any]:
    """Do so for what a reader looks at this moment; it does not wait for what only may be looked at."""
    return _pool("seen", 2).submit(work, *args)


def queue(work: Callable[..., Any], *args: Any) -> Future[Any]:
    """Run what takes all of a core when what came before it is done, and leave Python's lock to who types."""
    return _pool("images", 2).submit(work, *args)


def start_until_exit(work: Callable[..., Any], *args: Any, stop: threading.Event) -> None:
    """Run a call that may go on for hours and ends when `stop` is set; Python's end sets it."""

    def end() -> None:
        stop.set()
        thread.join(_LEAVE)

    def run() -> None:
        try:
            work(*args)
        finally:
            atexit.unregister(end)

    # A pool would keep the kernel from ending until its work is done.
    thread = threading.Thread(target=run, name="astria_nb watch", daemon=True)
    atexit.register(end)
    thread.start()
