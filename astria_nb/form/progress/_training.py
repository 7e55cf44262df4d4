"""A submitted tune: its training, and its pictures as they arrive."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import ipywidgets as widgets
import pandas as pd
from markupsafe import Markup

from astria_nb.client import Client
from astria_nb.form.fields import WIDE, controls
from astria_nb.form.progress._notification import NotificationSwitch
from astria_nb.results.gallery import Gallery
from astria_nb.results.watch import PollResult
from astria_nb.rows import prompt_frame

_POLL_SECONDS = 0.5  # seconds between the first two polls


class TrainingPanel(controls.VBox):
    """A progress bar, a line of text, a switch for a notification, and the gallery, which does the polling.

    Parameters
    ----------
    client : Client
    on_poll : callable
        Called with each `PollResult`.
    on_change : callable
        Called when the pictures have changed.
    """

    def __init__(
        self, client: Client, on_poll: Callable[[PollResult], None], on_change: Callable[[], None]
    ) -> None:
        self._on_poll, self._warning, self._has_failures = on_poll, "", False
        self._bar = controls.FloatProgress(max=1.0, layout={"flex": "1 1 200px"})
        self._text = controls.HTML(layout={"flex": "2 1 240px"})
        self._line = controls.HBox([self._bar, self._text], layout=WIDE, classes="astria-training")
        self.gallery = Gallery(client, on_poll=self._on_result)
        self.gallery.on_change = on_change
        self.gallery.observe(self._on_state, "state")
        self.notification = NotificationSwitch()
        super().__init__(
            [self._line, self.notification, self.gallery], layout=widgets.Layout(width="100%", display="none")
        )

    def start(self, row: pd.DataFrame, client: Client) -> None:
        """Follow a tune that was just submitted, in place of the previous one."""
        self.show(row, None, client)
        self.follow()

    def follow(self) -> None:
        """Poll the displayed tune until all its pictures have arrived."""
        title = self._row["title"].iloc[0]
        self.notification.begin(title if isinstance(title, str) else "Astria")
        self.gallery.watch(poll=_POLL_SECONDS)

    def show(self, row: pd.DataFrame, prompts: pd.DataFrame | None, client: Client) -> bool:
        """Show a tune as recorded, without polling.

        Parameters
        ----------
        row : pandas.DataFrame
        prompts : pandas.DataFrame or None
            Its last known prompts; None if there are none.
        client : Client

        Returns
        -------
        bool
            Whether more pictures are expected.
        """
        self._row = row
        self.notification.hide()
        is_pending = self.gallery.show(
            row, prompt_frame([]) if prompts is None else prompts, client=client, is_latest=False
        )
        self._show(
            PollResult(row, 0.0 if is_pending else 1.0, "", prompts),
            prefix="" if prompts is None else "Last seen: ",
        )
        self.layout.display = None
        return is_pending

    def warn(self, text: str) -> None:
        """Show a warning beside the progress from the next poll on."""
        self._warning = text

    def stop(self) -> None:
        """Stop polling."""
        self.gallery.stop()

    def saved_html(self) -> Markup:
        """Return the progress and the pictures as HTML for places without widgets."""
        pictures = Markup(self.gallery.saved_html())  # noqa: S704  escaped by the gallery
        return Markup("<p>{}</p>").format(Markup(self._text.value)) + pictures  # noqa: S704  escaped in `_show`

    def _on_result(self, result: PollResult) -> None:
        self._row = result.frame
        self._on_poll(result)
        self._show(result)
        if result.fraction_done >= 1:
            self.notification.end(_status_text(result))

    def _on_state(self, change: dict[str, Any]) -> None:
        self._update_color()
        if change["new"] == "failed":
            self.notification.end("It cannot be followed any more; press Check again to continue")

    def _show(self, result: PollResult, prefix: str = "") -> None:
        self._bar.value = result.fraction_done
        self._has_failures = result.prompts is not None and bool((result.prompts["status"] == "failed").any())
        text = " · ".join(filter(None, (prefix + _status_text(result), self._warning)))
        self._text.value = Markup("<span>{}</span>").format(text)
        self._update_color()

    def _update_color(self) -> None:
        if self.gallery.state == "failed":
            self._bar.bar_style = "warning"
        elif self._bar.value < 1:
            self._bar.bar_style = ""
        else:
            is_lost = self._row["status"].iloc[0] in ("failed", "expired", "deleted")
            self._bar.bar_style = "danger" if is_lost else "warning" if self._has_failures else "success"


def _status_text(result: PollResult) -> str:
    status, eta = result.frame["status"].iloc[0], result.frame["eta"].iloc[0]
    if status == "failed":
        return "The training failed. Your account on the service shows whether it was charged"
    if status == "deleted":
        return "The tune was deleted"
    if status == "expired":
        return "The tune has expired: the service deletes tunes 30 days after training"
    if result.prompts is not None and status not in ("queued", "training"):
        statuses = result.prompts["status"]
        failures = f" · {(statuses == 'failed').sum()} failed" if (statuses == "failed").any() else ""
        return f"Pictures · {(statuses == 'done').sum()} of {len(statuses)} prompts done{failures}"
    text = {"queued": "Queued", "training": "Training"}.get(status, "Waiting for the pictures")
    return text if pd.isna(eta) else f"{text} · ready at about {_local_time(eta)}"


def _local_time(time: pd.Timestamp) -> str:
    """Return a time in the kernel's time zone, with the date unless it is today."""
    local = time.to_pydatetime().astimezone()
    is_today = local.date() == datetime.now().astimezone().date()
    return local.strftime("%H:%M" if is_today else "%d %b %H:%M")
