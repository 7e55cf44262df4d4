"""What becomes of tunes that are submitted: each is sent once, then watched; here are their rows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import pandas as pd

from astria_nb.client import Client
from astria_nb.errors import AstriaError, Problem
from astria_nb.form.fields import WIDE
from astria_nb.form.sending import Sending
from astria_nb.form.watching import Watching
from astria_nb.log import Log
from astria_nb.rows import tune_frame
from astria_nb.submission import submit
from astria_nb.tune import Tune


class Desk(widgets.VBox):
    """The lower part of the form: the upload, the row, the training, the pictures.

    Parameters
    ----------
    log : Log
        Where submissions are recorded.
    came : callable
        Called with the row of the tune that was submitted last, whenever there is news of it.

    Attributes
    ----------
    sent : dict of str to Tune
        What was made, by its title.
    """

    def __init__(self, log: Log, came: Callable[[pd.DataFrame], None]) -> None:
        self._log, self._came = log, came
        self._busy = threading.Lock()
        self._rows: dict[str | None, pd.DataFrame] = {}
        self._last: str | None = None
        self.sent: dict[str | None, Tune] = {}
        self.sending, self.watching = Sending(), Watching(self._seen)
        super().__init__([self.sending, self.watching], layout=WIDE)

    @property
    def is_busy(self) -> bool:
        """Whether a tune is being sent."""
        return self._busy.locked()

    @property
    def has_failed(self) -> bool:
        """Whether the last one was not made, for a reason that is said here."""
        return self.sending.has_failed

    @property
    def rows(self) -> pd.DataFrame:
        """All rows, one under the other; an empty frame before the first."""
        return pd.concat(self._rows.values(), ignore_index=True) if self._rows else pd.DataFrame()

    def take(self) -> None:
        """Take on one tune, and no second one until `leave`.

        Raises
        ------
        AstriaError
            Another one is being sent.
        """
        if not self._busy.acquire(blocking=False):
            raise AstriaError(Problem("form", "is being submitted", "wait until it is done"))

    def leave(self) -> None:
        """Be done with it."""
        self._busy.release()

    def row_of(self, tune: Tune) -> pd.DataFrame | None:
        """Return the row of a tune that was made, or None."""
        return self._rows.get(tune.title)

    def send(self, tune: Tune, client: Client, **options: Any) -> pd.DataFrame:
        """Submit a tune, with what can be seen of it, and return its row; options as for `submit`.

        Raises
        ------
        AstriaError
            As `submit` says.
        """
        try:
            row = submit(
                tune, client, log=self._log, on_sent=self.sending.on_sent, say=self.sending.waiting, **options
            )
        except AstriaError:
            raise  # for the caller to show
        except BaseException:
            self.sending.failed(
                [Problem("form", "was interrupted", "submit it again: it is looked for, not sent twice")]
            )
            raise
        self._made(tune, row, client)
        return row

    def restore(self, tune: Tune, client: Client) -> None:
        """Show what became of a tune that an earlier kernel submitted, if it did."""
        if tune.title is None or not self._log.path.exists():
            return
        found = self._log.find(client.service, tune.title)
        if found is not None and found.state in ("done", "adopted") and found.record:
            self._made(tune, tune_frame([found.record], client.now()), client)

    def _made(self, tune: Tune, row: pd.DataFrame, client: Client) -> None:
        self._last = tune.title
        self.sent[tune.title], self._rows[tune.title] = tune, row
        self.sending.done(row)
        self._came(row)
        self.watching.watch(row, client)

    def _seen(self, row: pd.DataFrame) -> None:
        """Take the latest state of a tune that was looked at."""
        title = row["title"].iloc[0]
        if title not in self._rows:
            return
        self._rows[title] = row
        if title == self._last:  # no other tune was submitted meanwhile
            self.sending.show_row(row)
            self._came(row)
