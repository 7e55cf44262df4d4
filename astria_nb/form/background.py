"""Work that must not hold up the kernel: look-ups and thumbnails."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=4, thread_name_prefix="astria_nb")


def start(work: Callable[..., Any], *args: Any) -> Future[Any]:
    """Run a call on a thread of its own; the future tells when it is over and what became of it."""
    return _pool().submit(work, *args)
