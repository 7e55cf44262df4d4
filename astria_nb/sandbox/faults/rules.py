"""The faults that are pending, and which of them strikes a request."""

import random
import threading
from dataclasses import replace

from astria_nb.sandbox.faults.fault import Fault


class FaultRules:
    """The rules that are pending.

    Parameters
    ----------
    chance : random.Random
        Draws for rules with a probability.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._lock = threading.Lock()
        self._rules: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Add a rule behind the others."""
        with self._lock:
            self._rules.append(fault)

    def clear(self) -> None:
        """Forget every rule."""
        with self._lock:
            self._rules.clear()

    def pending(self) -> tuple[Fault, ...]:
        """Return the rules in their order, with what is left of `count` and `after`."""
        with self._lock:
            return tuple(self._rules)

    def strike(self, method: str, target: str) -> Fault | None:
        """Return the fault that strikes a request: that of the first rule that applies."""
        path = target.partition("?")[0].rstrip("/").removesuffix(".json") or "/"
        request = f"{method} {path}"
        with self._lock:
            for place, rule in enumerate(self._rules):
                if not rule.matches(request):
                    continue
                if rule.after:
                    self._rules[place] = replace(rule, after=rule.after - 1)
                elif self._chance.random() < rule.probability:
                    self._use_up(place)
                    return rule
        return None

    def _use_up(self, place: int) -> None:
        rule = self._rules[place]
        if rule.count == 1:
            del self._rules[place]
        elif rule.count is not None:
            self._rules[place] = replace(rule, count=rule.count - 1)
