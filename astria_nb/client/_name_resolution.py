"""The addresses of a host, within a time limit and until an interrupt."""

from __future__ import annotations

import queue
import socket
import threading
import time
from contextlib import suppress
from ipaddress import ip_address
from typing import TypeVar

from astria_nb.utils.progress import TICK_SECONDS

T = TypeVar("T")


def resolve(host: str, port: int, seconds: float) -> list[str]:
    """Return the addresses of a host. Name resolution takes no timeout, so it runs in a thread.

    Parameters
    ----------
    host : str
    port : int
    seconds : float
        Time limit.

    Raises
    ------
    TimeoutError
        There is no answer within the limit.
    OSError
        The host has no address.
    """
    try:
        return [str(ip_address(host.strip("[]")))]
    except ValueError:
        pass
    results: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            results.put(list(dict.fromkeys(str(address[0]) for *_, address in entries)))
        except Exception as error:  # noqa: BLE001  raised in the thread that waits
            results.put(error)

    # After a timeout it continues until the system itself gives up.
    thread = threading.Thread(target=look_up, name="astria_nb name resolution", daemon=True)
    thread.start()
    result = _wait_for(results, seconds)
    thread.join()
    if isinstance(result, Exception):
        raise result
    return result


def _wait_for(results: queue.SimpleQueue[T], seconds: float) -> T:
    """Return the first result. Waits in ticks, since an interrupt just before a wait would not end it."""
    end = time.monotonic() + seconds
    while (seconds := end - time.monotonic()) > 0:
        with suppress(queue.Empty):
            return results.get(timeout=min(seconds, TICK_SECONDS))
    raise TimeoutError("no address in time")
