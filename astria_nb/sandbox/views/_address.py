"""The address that the service is reached at, which differs from client to client."""

import threading


class Address(threading.local):
    """The address of the service as the client of this thread knows it.

    Each connection has its own thread. A thread that answers no request sees the sandbox's own address.

    Parameters
    ----------
    url : str
        The sandbox's own address, e.g. ``http://127.0.0.1:41223``.

    Attributes
    ----------
    url : str
        The address that was asked, e.g. ``http://sandbox:8000``.
    """

    def __init__(self, url: str) -> None:
        self._own_url = self.url = url

    def ask(self, host: str) -> None:
        """Note the ``Host`` that the request of this thread was sent to."""
        self.url = f"http://{host}"

    def ask_again(self, url: str) -> None:
        """Note an address that was asked earlier; empty for the sandbox's own."""
        self.url = url or self._own_url

    @property
    def asked(self) -> str:
        """The address that was asked; empty if it is the sandbox's own."""
        return "" if self.url == self._own_url else self.url
