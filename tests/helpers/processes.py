"""Other processes, forked from one that has imported what they need: they start in milliseconds."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from helpers.waiting import PATIENCE

METHOD = next(name for name in ("forkserver", "spawn") if name in multiprocessing.get_all_start_methods())
_processes: Any = multiprocessing.get_context(METHOD)
# Their environment is that of the first of them, and their threads are their own.
_processes.set_forkserver_preload(["astria_nb.log._database", "astria_nb.rows", "pandas", "pyarrow.parquet"])


class Other:
    """A process that does one thing.

    Parameters
    ----------
    work : callable
        A function of a module, called with one end of a pipe and `args`.
    *args

    Attributes
    ----------
    pipe : Connection
        The other end.
    """

    def __init__(self, work: Callable[..., None], *args: Any) -> None:
        self.pipe, theirs = _processes.Pipe()
        self.process = _processes.Process(target=work, args=(theirs, *args))
        self.process.start()
        theirs.close()

    def __enter__(self) -> "Other":
        return self

    def __exit__(self, *_: object) -> None:
        self.pipe.close()
        self.process.join(PATIENCE)
        self.process.close()

    def asked(self, question: Any) -> Any:
        """Return what it answers."""
        self.pipe.send(question)
        return self.pipe.recv()


def elsewhere(function: Callable[..., Any], *args: Any) -> Any:
    """Return what a function of a module returns in another process."""
    with Other(_call, function, args) as other:
        return other.pipe.recv()


def answer(pipe: Connection, function: Callable[[Any], Any]) -> None:
    """Answer each question until there are no more."""
    while True:
        try:
            question = pipe.recv()
        except EOFError:
            return
        pipe.send(function(question))


def _call(pipe: Connection, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    pipe.send(function(*args))
