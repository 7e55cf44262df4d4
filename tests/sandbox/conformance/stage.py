"""Plays rows of the conformance table: a new sandbox for each, with programs that stay open."""

import itertools
import threading
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import pytest

from astria_nb.sandbox import SandboxServer
from sandbox.callbacks.test_callbacks import Receiver
from sandbox.conformance.programs import Program, opened
from sandbox.conformance.vocabulary import Row, Scene


class Stage:
    """Plays rows."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._programs: dict[str, Program] = {}
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self._receiver = self._open.enter_context(Receiver())
        thread = threading.Thread(target=self._receiver.serve_forever, args=(0.02,))
        thread.start()
        self._open.callback(thread.join)
        self._open.callback(self._receiver.shutdown)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._open.close()

    def play(self, row: Row, program: str) -> None:
        """Play a row with a program; skip it if that is not installed."""
        try:
            if program not in self._programs:
                self._programs[program] = self._open.enter_context(opened(program))
        except LookupError as error:
            pytest.skip(str(error))
        with SandboxServer(**row.options) as sandbox:
            hook = f"/row-{next(self._numbers)}"
            row.play(Scene(sandbox, self._programs[program], self._receiver, hook))
