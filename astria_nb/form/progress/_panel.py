"""Submitting the draft and following its tune: the part of the form below the Submit button."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from markupsafe import Markup

from astria_nb.client import Client
from astria_nb.errors import AstriaError, LogError, Problem
from astria_nb.form.fields import WIDE, controls
from astria_nb.form.progress._labels import LabelsPanel
from astria_nb.form.progress._loading import load
from astria_nb.form.progress._state import SubmissionState
from astria_nb.form.progress._upload import UploadPanel
from astria_nb.log import Log
from astria_nb.submission import RepeatedRequest, SubmitOptions, submit_once
from astria_nb.tune import Request, Tune, differences

if TYPE_CHECKING:
    import pandas as pd

    from astria_nb.form.progress._training import TrainingPanel
    from astria_nb.results.watch import PollResult


class SubmissionPanel(controls.VBox):
    """The upload with its row, its tags and its note, and below it the training with its pictures.

    Parameters
    ----------
    log : Log
        Records submissions and the latest state of their tunes.
    client : Client
    on_row : callable
        Called with the row of the latest tune whenever it changes.
    on_change : callable
        Called when the tags, the note or the pictures of the latest tune have changed.

    Attributes
    ----------
    state : SubmissionState
    """

    def __init__(
        self,
        log: Log,
        client: Client,
        on_row: Callable[[pd.DataFrame], None],
        on_change: Callable[[], None],
    ) -> None:
        self._log, self._client, self._on_row, self._on_change = log, client, on_row, on_change
        self.state = SubmissionState()
        self._form_titles: dict[str | None, str | None] = {}  # keyed by the titles of the rows
        self.upload, self._labels = UploadPanel(), LabelsPanel(log, on_change)
        self._training: TrainingPanel | None = None
        super().__init__([self.upload, self._labels], layout=WIDE)

    @property
    def training(self) -> TrainingPanel:
        """The training of the latest tune; created when it is first needed."""
        if self._training is None:
            load()
            from astria_nb.form.progress._training import TrainingPanel

            self._training = TrainingPanel(self._client, self._on_poll, self._on_change)
            self.set_trait("children", (*self.children, self._training))
        return self._training

    def load_pictures(self) -> None:
        """Load the first pictures, if there are any, so that they are saved with the notebook."""
        if self._training is not None:
            self._training.gallery.load_first()

    def send(self, tune: Tune, options: SubmitOptions) -> pd.DataFrame:
        """Submit a tune, follow it, and return its row.

        Parameters
        ----------
        tune : Tune
        options : SubmitOptions
            With the upload panel as the observer.

        Raises
        ------
        AstriaError
            As for `astria_nb.submit`. The state contains its problems.
        RepeatedRequest
            The same request was sent before, and the user has to be asked. Nothing was sent.
        """
        try:
            row = submit_once(tune, options)
        except RepeatedRequest:
            self.upload.show_idle()
            raise
        except AstriaError as error:
            self.state.fail(error.problems)
            raise
        except BaseException:
            self.state.fail(
                [Problem("form", "was interrupted", "submit it again: it is looked up, not sent twice")]
            )
            raise
        self.training.stop()  # a late poll of the previous tune must not replace this row
        self._client = options.client
        self._add(tune.title, tune, row)
        self.training.start(row, self._client)
        return row

    def restore(self, title: str, tune: Tune | None) -> None:
        """Show the tune that an earlier form submitted under this title, if any, and follow it.

        Parameters
        ----------
        title : str
        tune : Tune or None
            The tune of this form, if it is valid.
        """
        client = self._client
        try:
            is_there = self._log.exists()
            submission = self._log.find(client.service, title, client.known_account) if is_there else None
            if submission is None or submission.state not in ("done", "adopted") or not submission.record:
                return
            prompts = self._log.prompts(submission)
        except LogError:  # the form says so in its notices
            return
        load()
        from astria_nb.rows import prompt_frame, tune_frame

        row = tune_frame([submission.record | submission.origin], self._client.now())
        is_same = tune is not None and _is_same(
            Request.from_tune(tune, self._client.service, "json"), submission.request
        )
        self._add(title, tune if is_same else None, row)
        is_pending = self.training.show(row, prompt_frame(prompts), self._client)
        if is_pending or not (prompts or row["status"].isin(["failed", "expired", "deleted"]).any()):
            self.training.follow()

    def saved_html(self, *, with_photos: bool) -> Markup:
        """Return the rows of this form, with the details of the latest, as HTML for places without widgets.

        Parameters
        ----------
        with_photos : bool
            Whether the addresses of the training photos are included.
        """
        message = self.upload.message
        if self._training is None:
            return message
        from astria_nb.form._row_html import row_html

        rows = self.state.rows
        rows = rows if with_photos else rows.drop(columns="orig_images", errors="ignore")
        region = '<div style="overflow-x:auto" role="region" aria-label="Rows" tabindex="0">{}</div>'
        scrolled = Markup(region).format(row_html(rows))  # noqa: S704  a constant
        return message + scrolled + self._labels.saved_html() + self.training.saved_html()

    def _add(self, title: str | None, tune: Tune | None, row: pd.DataFrame) -> None:
        from astria_nb.results.watch import PollRecorder

        self._recorder = PollRecorder(self._log, self._client.service, self._client.known_account)
        self.state.add(title, tune, row)
        self._form_titles[row["title"].iloc[0]] = title
        self.upload.show_submitted(row)
        self._labels.show(row)
        self._on_row(row)

    def _on_poll(self, result: PollResult) -> None:
        row = result.frame
        title = self._form_titles.get(row["title"].iloc[0])
        if not self.state.update_row(title, row):
            return
        try:
            self._recorder.record(result)
        except LogError as error:
            self.training.warn(f"Not recorded in the log: {error}")
        if title == self.state.latest:
            self.upload.show_row(row)
            self._on_row(row)


def _is_same(request: Request, recorded: Request) -> bool:
    """Return whether two requests are for the same tune; only the recorded one has the sizes as sent."""
    return all(difference.field == "images" for difference in differences(request, recorded))
