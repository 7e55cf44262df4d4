"""Calls that Ctrl-C cannot cut short: they run on another thread, which interrupts do not reach.

Python raises KeyboardInterrupt between any two lines of the main thread: while a module is half imported,
before a lock is released, after a transaction was begun. No ``finally`` is safe from it. So the main thread
only waits here, and an interrupt is passed on: the call ends at the next place where it may.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from _thread import allocate_lock, start_new_thread
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar, copy_context
from functools import wraps
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_TICK_SECONDS = 0.1
_SOON_SECONDS = 0.02
_WAIT = _TICK_SECONDS if os.name == "nt" else None  # on Windows, Ctrl-C does not end a wait without a limit
_current: ContextVar[_Call | None] = ContextVar("astria_nb_call", default=None)


def shielded(work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """Return the result of a call that an interrupt does not cut short.

    On the main thread, the call runs on another thread, with a copy of the context variables. After an
    interrupt it ends at its next `raise_if_interrupted`, or else by itself; then KeyboardInterrupt is raised.
    A second interrupt does not wait for that. On any other thread, which interrupts do not reach, this is a
    plain call.

    Parameters
    ----------
    work : callable
    *args, **options
        Its arguments.
    """
    if threading.get_ident() != threading.main_thread().ident or sys.is_finalizing():
        return work(*args, **options)
    is_returned = False
    call = _Call(lambda: work(*args, **options), lambda: is_returned)
    try:
        try:
            _start(call)
        except RuntimeError:  # no more threads are allowed in this process
            return work(*args, **options)
        call.serve()
        result: T = call.result()
        # One line and without a call, so that no interrupt comes between the two.
        return (is_returned := True) and result
    except BaseException:
        call.interrupt()
        raise


def shield(function: Callable[P, T]) -> Callable[P, T]:
    """Return a function whose calls are all `shielded`."""

    @wraps(function)
    def call(*args: P.args, **options: P.kwargs) -> T:
        return shielded(function, *args, **options)

    return call


def in_caller(function: Callable[P, T]) -> Callable[P, T]:
    """Return a function that a shielded call can use to run another one on the thread that waits for it.

    The user's callbacks, displays and warnings run there. It also raises KeyboardInterrupt if the call was
    interrupted.
    """

    @wraps(function)
    def ask(*args: P.args, **options: P.kwargs) -> T:
        call = _current.get()
        if call is None:
            return function(*args, **options)
        result: T = call.ask(lambda: function(*args, **options))
        return result

    return ask


def raise_if_interrupted() -> None:
    """Raise KeyboardInterrupt if the shielded call that this thread runs was interrupted."""
    call = _current.get()
    if call is not None and call.interrupted:
        raise KeyboardInterrupt


def arrival() -> Callable[[], bool | None]:
    """Return a function that says whether the caller has received the result of this thread's shielded call.

    It returns True once the caller has the result, False if an interrupt kept the result from the caller, and
    None before that. The result of any other call always reaches its caller.
    """
    call = _current.get()
    return (lambda: True) if call is None else call.arrival


def sleep(seconds: float) -> None:
    """Sleep; an interrupt of this thread's shielded call ends the sleep."""
    until = time.monotonic() + seconds
    while (remaining := until - time.monotonic()) > 0:
        raise_if_interrupted()
        time.sleep(remaining if _current.get() is None else min(remaining, _TICK_SECONDS))


def blocks_on(connection: object) -> None:
    """Let an interrupt end the wait for a socket, which this thread is about to use."""
    call = _current.get()
    if call is not None:
        call.socket = connection


# The queues of idle threads: starting a thread takes as long as writing a line of the log.
_idle: list[SimpleQueue[_Call]] = []


def _start(call: _Call) -> None:
    """Run a call on an idle thread, or on a new one."""
    try:
        calls = _idle.pop()
    except IndexError:
        calls = SimpleQueue()
        start_new_thread(_run_all, (calls,))
    calls.put(call)  # after an interrupt just before this, the thread waits for ever


def _run_all(calls: SimpleQueue[_Call]) -> None:
    while True:
        calls.get().run(lambda: _idle.append(calls))


class InterruptsHeld:
    """Delays interrupts of the main thread while it does work that cannot run on another thread.

    A lock, for example, belongs to the thread that takes it. On other threads this does nothing.
    """

    def __init__(self) -> None:
        self._handler: Any = None
        self._is_interrupted = False

    def hold(self) -> None:
        """Delay interrupts until `release_interrupts`."""
        if threading.get_ident() == threading.main_thread().ident:
            self._handler = signal.getsignal(signal.SIGINT)
            if callable(self._handler):
                signal.signal(signal.SIGINT, self._note)

    def begin_in_child(self) -> None:
        """Forget a delayed interrupt in a forked child: it was meant for the parent."""
        self._is_interrupted = False

    def release_interrupts(self) -> None:
        """End `hold`; a delayed interrupt arrives a moment later."""
        if threading.get_ident() != threading.main_thread().ident:
            return
        handler, self._handler = self._handler, None
        if not callable(handler):
            return
        is_interrupted, self._is_interrupted = self._is_interrupted, False
        signal.signal(signal.SIGINT, handler)
        if is_interrupted:
            start_new_thread(_interrupt_later, ())

    def _note(self, *_: object) -> None:
        self._is_interrupted = True


def _interrupt_later() -> None:
    """Interrupt the main thread, which may still be in a hook of Python that swallows exceptions."""
    time.sleep(_SOON_SECONDS)
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)  # this also ends a wait


def _begin_in_child() -> None:
    """Forget the threads and the call, which belong to the parent."""
    _idle.clear()
    _current.set(None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)


class _Call:
    """A call on its own thread, and its requests to the thread that waits for it."""

    def __init__(self, work: Callable[[], Any], is_returned: Callable[[], bool]) -> None:
        self.interrupted = False
        self.socket: object = None
        self._work, self._is_returned = work, is_returned
        self._context = copy_context()
        self._may_begin = allocate_lock()
        self._has_ended = False
        self._requests: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._replies: SimpleQueue[tuple[BaseException | None, Any]] = SimpleQueue()
        self._outcome: tuple[BaseException | None, Any] = (None, None)

    def run(self, park: Callable[[], None]) -> None:
        """Do the work on the other thread, which `park` returns before the caller continues."""
        if not self._may_begin.acquire(blocking=False):
            park()
            return  # interrupted before it began
        try:
            self._context.run(_current.set, self)
            self._outcome = None, self._context.run(self._work)
        except BaseException as error:  # noqa: BLE001  raised by the thread that waits
            self._outcome = error, None
        self._context.run(_current.set, None)  # or the two would keep each other alive
        # Some libraries make Python list this thread, and code may wait for all listed threads to end.
        threading._active.pop(threading.get_ident(), None)  # type: ignore[attr-defined]  # no public way
        park()
        self._has_ended = True
        self._requests.put(None)

    def ask(self, function: Callable[[], Any]) -> Any:
        """Run a function on the thread that waits, and return its result."""
        if self.interrupted:
            raise KeyboardInterrupt

        def answer() -> None:
            try:
                reply = None, function()
            except BaseException as error:  # noqa: BLE001  raised by the thread that asks
                self._replies.put((error, None))
            else:
                self._replies.put(reply)

        self._requests.put(answer)
        error, result = self._replies.get()
        if error is not None:
            raise error
        return result

    def serve(self) -> None:
        """Handle the call's requests until it has ended."""
        while not self._has_ended:
            with suppress(Empty):
                request = self._requests.get(timeout=_WAIT)
                if request is not None:
                    request()

    def interrupt(self) -> None:
        """Ask the call to end, and wait until it has."""
        self.interrupted = True
        # Whichever thread acquires it first decides: an interrupt may hide how far the other thread came.
        if self._may_begin.acquire(blocking=False) or self._has_ended:
            return
        self._replies.put((KeyboardInterrupt(), None))
        if self.socket is not None:
            # Shut down the socket itself: the connection's own method would change objects that the other
            # thread uses.
            with suppress(OSError, TypeError):
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)  # type: ignore[arg-type]  # it may not be a socket
        while not self._has_ended:
            with suppress(Empty):
                self._requests.get(timeout=_TICK_SECONDS)

    def arrival(self) -> bool | None:
        """Return whether the caller has the result; None while that is undecided."""
        if self._is_returned():
            return True
        return False if self.interrupted else None

    def result(self) -> Any:
        """Return what the call returned, or raise its error."""
        error, result = self._outcome
        try:
            if error is not None:
                raise error
            return result
        finally:
            error = None  # otherwise the traceback would keep itself alive
            self._outcome = None, None
