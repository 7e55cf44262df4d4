"""A proxy before a server of PostgreSQL that loses the answer to a COMMIT, or the COMMIT itself."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

_BLOCK = 1 << 16


class LossyProxy:
    """Passes on what is sent, and cuts a connection at a COMMIT as often as it is told to.

    Parameters
    ----------
    server : Path
        The server's socket.
    folder : Path
        Where to listen.

    Attributes
    ----------
    loses : {"nothing", "answer", "commit"}
        What is lost of the next transactions.
    cuts : int
        How many of them.
    """

    def __init__(self, server: Path, folder: Path) -> None:
        self._server = server
        self.folder = folder
        self.loses: Literal["nothing", "answer", "commit"] = "nothing"
        self.cuts = 0
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / ".s.PGSQL.5432"))
        self._listener.listen()

    @contextmanager
    def running(self) -> Iterator["LossyProxy"]:
        """Pass on until the context ends."""
        thread = threading.Thread(target=self._accept, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(self._server))
        silent = threading.Event()
        back = threading.Thread(target=self._answer, args=(server, client, silent), daemon=True)
        back.start()
        with client, server, suppress(OSError):
            while data := client.recv(_BLOCK):
                if b"COMMIT" in data and self.cuts:
                    self.cuts -= 1
                    silent.set()
                    if self.loses == "answer":
                        server.sendall(data)
                        server.shutdown(socket.SHUT_WR)  # it does what it was sent, and ends
                        back.join()
                    break
                server.sendall(data)
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
                server.shutdown(socket.SHUT_RDWR)
            back.join()

    def _answer(self, server: socket.socket, client: socket.socket, silent: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(_BLOCK):
                if not silent.is_set():
                    client.sendall(data)
