"""Time that passes only while something waits, and a wall clock that can be wrong."""

import importlib
import pkgutil
import sys
import threading
import time
import types
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import pytest

import astria_nb

_START = datetime(2030, 1, 1, 12, tzinfo=UTC)


class Clock:
    """The true time, and the time that a machine shows.

    Attributes
    ----------
    now : float
        True time in seconds.
    set_by : float
        Seconds by which the machine's wall clock is wrong.
    booted : float
        True time in seconds at which the machine was started.
    waits : list of float
        Seconds of each wait.
    """

    def __init__(self) -> None:
        self.now = 5000.0
        self.set_by = self.booted = 0.0
        self.waits: list[float] = []
        self.strangers: set[int | None] = set()

    def sleep(self, seconds: float) -> None:
        if self.is_of_others():
            time.sleep(seconds)
            return
        self.waits.append(seconds)
        self.now += seconds

    def is_of_others(self) -> bool:
        """Return whether the thread that asks was there before this clock."""
        return threading.get_native_id() in self.strangers

    def wall(self) -> datetime:
        return _START + timedelta(seconds=self.now + self.set_by)

    def truth(self) -> datetime:
        """Return the true time, as the service's clock shows it."""
        return _START + timedelta(seconds=self.now)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make the package use this clock, also for the waits between retries.

        Threads that an earlier test left behind keep the time that they began with: to them, all waits would
        be over at once, and they would turn this clock on without end.
        """
        self.strangers = {thread.native_id for thread in threading.enumerate()}
        self.strangers.discard(threading.get_native_id())
        for module in _modules():
            if getattr(module, "time", None) is time:
                monkeypatch.setattr(module, "time", _Time(self))
            if getattr(module, "datetime", None) is datetime:
                monkeypatch.setattr(module, "datetime", _datetime(self.wall))
        monkeypatch.setattr("astria_nb.client.retry._sleep", self.sleep)


class _Time:
    """The module `time` with the functions of this clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.sleep = clock.sleep

    def monotonic(self) -> float:
        return time.monotonic() if self._clock.is_of_others() else self._clock.now

    def clock_gettime(self, which: int) -> float:
        if self._clock.is_of_others():
            return time.clock_gettime(which)
        return self._clock.now - self._clock.booted

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


class _AnyDatetime(type):
    """The type of a class of which every datetime is an instance."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, datetime)


def _datetime(wall: Callable[[], datetime]) -> type[datetime]:
    class PatchedDatetime(datetime, metaclass=_AnyDatetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return wall().astimezone(tz)

    return PatchedDatetime


def _modules() -> list[types.ModuleType]:
    for info in pkgutil.iter_modules(astria_nb.__path__, "astria_nb."):
        importlib.import_module(info.name)
    return [
        module
        for name, module in sys.modules.items()
        if name.startswith("astria_nb.") and not name.startswith("astria_nb.sandbox")
    ]
