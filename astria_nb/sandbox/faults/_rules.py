"""The pending faults, and the one that affects a request."""

import random
import threading
from dataclasses import replace

from astria_nb.sandbox.faults._fault import Fault


class FaultRules:
    """The pending faults, in order.

    Parameters
    ----------
    rng : random.Random
        Decides about faults that have a probability.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Append a fault."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()

    def pending(self) -> tuple[Fault, ...]:
        """Return the faults in order, with their remaining `count` and `after`."""
        with self._lock:
            return tuple(self._faults)

    def strike(self, method: str, target: str) -> Fault | None:
        """Return the first fault that affects a request, and count it down."""
        path = target.partition("?")[0].rstrip("/").removesuffix(".json") or "/"
        request = f"{method} {path}"
        with self._lock:
            for index, fault in enumerate(self._faults):
                if not fault.matches(request):
                    continue
                if fault.after:
                    self._faults[index] = replace(fault, after=fault.after - 1)
                elif self._rng.random() < fault.probability:
                    self._count_down(index)
                    return fault
        return None

    def _count_down(self, index: int) -> None:
        fault = self._faults[index]
        if fault.count == 1:
            del self._faults[index]
        elif fault.count is not None:
            self._faults[index] = replace(fault, count=fault.count - 1)
