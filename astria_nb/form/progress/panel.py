"""What becomes of tunes that are submitted: each is sent once, then watched; here are their rows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import pandas as pd

from astria_nb.client.client import Client
from astria_nb.errors import AstriaError, LogError, Problem
from astria_nb.form.fields.base import WIDE
from astria_nb.form.progress.training import TrainingPanel
from astria_nb.form.progress.upload import UploadPanel
from astria_nb.log import Log
from astria_nb.results.watch.poll_result import PollResult
from astria_nb.results.watch.recorder import PollRecorder
from astria_nb.rows import prompt_frame, tune_frame
from astria_nb.submission._submit import submit
from astria_nb.tune.request import Request, differences
from astria_nb.tune.tune import Tune


class SubmissionPanel(widgets.VBox):
    """The lower part of the form: the upload, the row, the training, the pictures.

    Parameters
    ----------
    log : Log
        Where submissions are recorded, and how their tunes were seen last.
    client : Client
    came : callable
        Called with the row of the tune that was submitted last, whenever there is news of it.

    Attributes
    ----------
    sent : dict of str to Tune or None
        What was made, by its title; None for an earlier form's that had other fields than this one.
    """

    def __init__(self, log: Log, client: Client, came: Callable[[pd.DataFrame], None]) -> None:
        self._log, self._client, self._came = log, client, came
        self._recorder = PollRecorder(log, client.service)
        self._busy = threading.Lock()
        self._rows: dict[str | None, pd.DataFrame] = {}
        self._last: str | None = None
        self.sent: dict[str | None, Tune | None] = {}
        self.upload, self.training = UploadPanel(), TrainingPanel(client, self._seen)
        super().__init__([self.upload, self.training], layout=WIDE)

    @property
    def is_busy(self) -> bool:
        """Whether a tune is being sent."""
        return self._busy.locked()

    @property
    def has_failed(self) -> bool:
        """Whether the last one was not made, for a reason that is said here."""
        return self.upload.has_failed

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
                tune, client, log=self._log, on_sent=self.upload.on_sent, say=self.upload.waiting, **options
            )
        except AstriaError:
            raise  # for the caller to show
        except BaseException:
            self.upload.failed(
                [Problem("form", "was interrupted", "submit it again: it is looked for, not sent twice")]
            )
            raise
        self._made(tune, row, client)
        return row

    def restore(self, title: str, tune: Tune | None) -> None:
        """Show what became of a title that an earlier form submitted, if one did, and look on from there.

        Parameters
        ----------
        title : str
        tune : Tune or None
            What is filled in, where it is whole.
        """
        found = self._log.find(self._client.service, title) if self._log.path.exists() else None
        if found is None or found.state not in ("done", "adopted") or not found.record:
            return
        row, prompts = tune_frame([found.record], self._client.now()), self._log.prompts(found)
        is_same = tune is not None and _is_same(Request.of(tune, self._client.service, "json"), found.request)
        self._take(title, tune if is_same else None, row)
        more = self.training.remember(row, prompt_frame(prompts), self._client)
        if more or not (prompts or row["status"].isin(["failed", "expired", "deleted"]).any()):
            self.training.look_on()

    def _made(self, tune: Tune, row: pd.DataFrame, client: Client) -> None:
        self._client, self._recorder = client, PollRecorder(self._log, client.service)
        self.training.stop()  # before: news of the tune before would come late
        self._take(tune.title, tune, row)
        self.training.watch(row, client)

    def _take(self, title: str | None, tune: Tune | None, row: pd.DataFrame) -> None:
        self._last = title
        self.sent[title], self._rows[title] = tune, row
        self.upload.done(row)
        self._came(row)

    def _seen(self, result: PollResult) -> None:
        """Take the latest state of a tune that was looked at."""
        row = result.frame
        title = row["title"].iloc[0]
        if title not in self._rows:
            return
        try:
            self._recorder.record(result)
        except LogError as error:
            self.training.complain(f"What is seen here is not on record: {error}")
        self._rows[title] = row
        if title == self._last:  # no other tune was submitted meanwhile
            self.upload.show_row(row)
            self._came(row)


def _is_same(asked: Request, recorded: Request) -> bool:
    """Tell whether two requests are one; of their photos, one has the size on disk, the other that sent."""
    return all(each.field == "images" for each in differences(asked, recorded))
