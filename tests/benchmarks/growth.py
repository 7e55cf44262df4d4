"""How the time of an item grows with their number: the added processor time of each tenfold step.

Not the time on the clock: ten thousand items take so long that another program may come in between.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.protocol import Figure

LAST_STEP = Figure("growth", "time of an item, last tenfold step", most=1.2, beside=None, unit="")


def grown(seconds: Sequence[float], counts: Sequence[int]) -> dict[str, Any]:
    """Return the figures of a case.

    Parameters
    ----------
    seconds : sequence of float
        The processor time that so many items take.
    counts : sequence of int
        Rising; three or more.
    """
    steps = list(zip(counts, counts[1:], seconds, seconds[1:], strict=False))
    items = [(late - early) / (more - fewer) for fewer, more, early, late in steps]
    return of_items(items, counts)


def of_items(items: Sequence[float], counts: Sequence[int]) -> dict[str, Any]:
    """Return the figures of a case, of the processor time of an item in each step."""
    return {"growth": items[-1] / items[-2], "items": list(counts[1:]), "item_seconds": list(items)}


def until_counts(work: Callable[[int], object], counts: Sequence[int]) -> list[float]:
    """Do the work for one item after another; return the seconds of a processor until there were so many."""
    started, seconds, done = time.process_time(), list[float](), 0
    for count in counts:
        for number in range(done, count):
            work(number)
        done = count
        seconds.append(time.process_time() - started)
    return seconds


def processor_of(work: Callable[[], object], times: int) -> float:
    """Return the seconds of this process's processor that some work takes, the median of so many times."""
    durations = []
    for _ in range(times):
        started = time.process_time()
        work()
        durations.append(time.process_time() - started)
    return statistics.median(durations)
