"""Keeping the tunes of a gallery beyond their expiry: the offer with its price, and the outcome."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal, TypedDict

import pandas as pd

from astria_nb.client import Client
from astria_nb.errors import AstriaError
from astria_nb.results.downloads import is_kept, keep_longer, price_text
from astria_nb.utils import background


class KeepOffer(TypedDict):
    """The offer as the page shows it; all texts come from the kernel.

    `state` is ``none`` (there is nothing to keep), ``offered``, ``sending`` or ``kept``.
    """

    state: Literal["none", "offered", "sending", "kept"]
    question: str
    price: str
    problem: str


class Keeping:
    """The tunes of one gallery that the service can keep longer.

    Parameters
    ----------
    on_change : callable
        Called with the new `KeepOffer`, on any thread.
    """

    def __init__(self, on_change: Callable[[KeepOffer], None]) -> None:
        self._on_change = on_change
        self._lock = threading.RLock()
        self._rows = pd.DataFrame({"id": []})
        self._kept: dict[int, bool] = {}  # stored here: not every reply of the service shows it
        self._client: Client | None = None
        self._is_sending, self._problem = False, ""

    def update(self, frame: pd.DataFrame, client: Client) -> None:
        """Use the latest rows."""
        with self._lock:
            if client is not self._client:
                self._kept.clear()  # ids belong to one service
            exists = frame["status"].isin(["queued", "training", "trained"]) if "status" in frame else False
            self._rows, self._client = frame[exists & frame["id"].notna()] if len(frame) else frame, client
            self._publish()

    def send(self, auto_extend: bool) -> None:
        """Keep the tunes, or stop keeping them, on a thread; only once, even if called repeatedly."""
        with self._lock:
            is_needed = self._state() == ("offered" if auto_extend else "kept")
            if self._client is None or not is_needed:
                return
            self._is_sending, self._problem = True, ""
            rows = self._not_kept() if auto_extend else self._rows
            self._publish()
            background.start(self._change, rows, self._client, auto_extend)

    def _change(self, rows: pd.DataFrame, client: Client, auto_extend: bool) -> None:
        problem = "It was not sent; please report it"
        try:
            keep_longer(rows, client, auto_extend=auto_extend)
            problem = ""
        except AstriaError as error:
            problem = str(error)
        finally:
            with self._lock:
                if not problem:
                    self._kept |= dict.fromkeys(map(int, rows["id"]), auto_extend)
                self._is_sending, self._problem = False, problem
                self._publish()

    def _state(self) -> Literal["none", "offered", "sending", "kept"]:
        if self._is_sending:
            return "sending"
        if not len(self._rows):
            return "none"
        return "offered" if len(self._not_kept()) else "kept"

    def _not_kept(self) -> pd.DataFrame:
        records = self._rows.to_dict("records")
        return self._rows[[not self._kept.get(int(row["id"]), is_kept(row)) for row in records]]

    def _publish(self) -> None:
        question, price = "", ""
        if total := len(self._rows):
            rows = self._not_kept()
            rows = rows if len(rows) else self._rows
            question, price = _question(rows, total - len(rows), self._client), price_text(len(rows))
        self._on_change(KeepOffer(state=self._state(), question=question, price=price, problem=self._problem))


def _question(rows: pd.DataFrame, kept_count: int, client: Client | None) -> str:
    """Return the question for rows, given the number of tunes that are already kept."""
    count, remark = len(rows), ""
    tunes, price = "this tune and its", price_text()
    if count > 1:
        tunes, price = f"these {count} tunes and their", f"{price} for each, {price_text(count)} in all,"
    if kept_count:
        pronoun = "its" if count == 1 else "their"
        tunes = f"{count} of these {count + kept_count} tunes and {pronoun}"
        remark = " The other is kept already." if kept_count == 1 else " The others are kept already."
    until, expires_at = "beyond 30 days after training", rows.get("expires_at")
    if expires_at is not None and pd.notna(first := expires_at.min()):
        until = f"beyond {first.day} {first:%b %Y}"
    question = f"Keep {tunes} pictures {until}?{remark} The service charges {price} until you stop it."
    is_rehearsal = client is not None and client.service != client.base_url
    return f"{question} In the sandbox, nothing is charged." if is_rehearsal else question
