"""Work that must not hold up the kernel: look-ups, submissions, thumbnails."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=4, thread_name_prefix="astria_nb")


@cache
def _patient_pool() -> ThreadPoolExecutor:
    # Two threads: they keep two cores busy with decoding, and leave the lock of Python to who types.
    return ThreadPoolExecutor(max_workers=2, thread_name_prefix="astria_nb_images")


def start(work: Callable[..., Any], *args: Any) -> Future[Any]:
    """Run a call on a thread of its own; the future tells when it is over and what became of it."""
    return _pool().submit(work, *args)


def queue(work: Callable[..., Any], *args: Any) -> Future[Any]:
    """Run a call when those before it are done: a click on Submit waits for no pictures."""
    return _patient_pool().submit(work, *args)
