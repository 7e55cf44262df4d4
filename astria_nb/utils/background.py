"""Thread pools for work that must not block the kernel: requests, submissions, images."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from typing import Any

_EXIT_TIMEOUT = 2.0  # seconds that the interpreter's exit waits for a thread


@cache
def _pool(name: str, threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=threads, thread_name_prefix=f"astria_nb_{name}")


def start(work: Callable[..., Any], *args: Any) -> Future[Any]:
    """Run a call on its own thread.

    The pool is large, so that a submission never waits for requests that time out.
    """
    return _pool("work", 64).submit(work, *args)


def start_fetch(work: Callable[..., Any], *args: Any) -> Future[Any]:
    """Run a call that may be slow, such as fetching a thumbnail, a few at a time."""
    return _pool("pictures", 4).submit(work, *args)


def start_urgent_fetch(work: Callable[..., Any], *args: Any) -> Future[Any]:
    """Run a fetch that the user is waiting for, ahead of those of `start_fetch`."""
    return _pool("urgent", 2).submit(work, *args)


def start_cpu_bound(work: Callable[..., Any], *args: Any) -> Future[Any]:
    """Run CPU-bound work, two calls at a time, to keep the GIL free for the UI."""
    return _pool("images", 2).submit(work, *args)


def start_soon(seconds: float, work: Callable[..., Any], *args: Any) -> None:
    """Run a call on its own thread after a pause, unless the interpreter exits first."""

    def begin() -> None:
        with suppress(RuntimeError):  # no thread can be started: the interpreter is about to exit
            start(work, *args)

    timer = threading.Timer(seconds, begin)
    timer.daemon = True
    timer.start()


def start_until_exit(work: Callable[..., Any], *args: Any, stop: threading.Event) -> None:
    """Run a call that may take hours and that ends when `stop` is set; the interpreter's exit sets it."""

    def end() -> None:
        stop.set()
        thread.join(_EXIT_TIMEOUT)

    def run() -> None:
        try:
            work(*args)
        finally:
            atexit.unregister(end)

    # An executor's threads would keep the kernel from exiting until the work is done.
    thread = threading.Thread(target=run, name="astria_nb watch", daemon=True)
    atexit.register(end)
    thread.start()
