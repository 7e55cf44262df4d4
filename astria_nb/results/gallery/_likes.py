"""Sending likes of prompts to the service."""

from __future__ import annotations

import threading
from collections.abc import Callable

from astria_nb.client import Client
from astria_nb.errors import AstriaError
from astria_nb.results.gallery._contents import PromptCard
from astria_nb.results.gallery._messages import LikedMessage
from astria_nb.utils import background


class Likes:
    """Sends likes on a thread, one at a time for each prompt.

    Parameters
    ----------
    lock : threading.RLock
        Held while a like is recorded and answered.
    on_liked : callable
        Called with the id of a prompt, and whether it is liked now, once the service has changed it.
    answer : callable
        Called with a `LikedMessage` when a like was sent, or has failed.
    """

    def __init__(
        self,
        lock: threading.RLock,
        on_liked: Callable[[int, bool], None],
        answer: Callable[[LikedMessage], None],
    ) -> None:
        self._lock, self._on_liked, self._answer = lock, on_liked, answer
        self._in_progress: set[int] = set()

    def start(self, card: PromptCard, liked: bool, client: Client) -> None:
        """Like a prompt, or remove its like.

        Parameters
        ----------
        card : PromptCard
        liked : bool
        client : Client
        """
        key = int(card["id"])
        with self._lock:
            if key in self._in_progress:
                return  # the browser waits for its answer
            self._in_progress.add(key)
        background.start(self._send, key, card["liked"], liked, client)

    def _send(self, key: int, was_liked: bool, liked: bool, client: Client) -> None:
        problem = "was not sent; please report it"
        try:
            client.like(key, liked)
            problem = ""
        except AstriaError as error:
            problem = str(error)
        finally:
            with self._lock:
                self._in_progress.discard(key)
                if not problem:
                    self._on_liked(key, liked)
            is_liked = was_liked if problem else liked
            self._answer({"kind": "liked", "id": str(key), "liked": is_liked, "problem": problem})
