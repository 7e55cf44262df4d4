"""Work that must not hold up the kernel: look-ups and thumbnails."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any

_THREADS = 4


@cache
def _pool(name: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix=f"astria_nb_{name}")


def start(work: Callable[..., Any], *args: Any) -> Future[Any]:
    """Run a call on a thread of its own; the future tells when it is over and what became of it."""
    return _pool("work").submit(work, *args)


def start_waiting(work: Callable[..., Any], *args: Any) -> Future[Any]:
    """Do so for what may take long, such as a picture from elsewhere; a submission does not wait for it."""
    return _pool("pictures").submit(work, *args)
