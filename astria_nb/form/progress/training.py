"""What is seen of a tune after it was submitted: how its training goes, and its pictures as they come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import ipywidgets as widgets
import pandas as pd
from markupsafe import Markup

from astria_nb.client.client import Client
from astria_nb.form.fields.base import WIDE
from astria_nb.results.gallery import Gallery
from astria_nb.results.watch.poll_result import PollResult
from astria_nb.rows import prompt_frame

_POLL = 0.5  # seconds between the first two looks


class TrainingPanel(widgets.VBox):
    """A bar, a line, and the gallery, which does the looking.

    Parameters
    ----------
    client : Client
    came : callable
        Called with each `PollResult`.
    """

    def __init__(self, client: Client, came: Callable[[PollResult], None]) -> None:
        self._came, self._complaint = came, ""
        self._bar = widgets.FloatProgress(max=1.0, layout=widgets.Layout(flex="1 1 200px"))
        self._text = widgets.HTML(layout=widgets.Layout(flex="2 1 240px"))
        self._line = widgets.HBox([self._bar, self._text], layout=WIDE)
        self._line.add_class("astria-training")
        self.gallery = Gallery(client, looked=self._looked)
        self.gallery.observe(lambda _: self._color(), "state")
        super().__init__([self._line, self.gallery], layout=widgets.Layout(width="100%", display="none"))

    def watch(self, row: pd.DataFrame, client: Client) -> None:
        """Follow a tune until its pictures are there, instead of the one before."""
        self.remember(row, None, client)
        self.look_on()

    def look_on(self) -> None:
        """Follow the tune that is shown."""
        self.gallery.watch(poll=_POLL)

    def remember(self, row: pd.DataFrame, found: pd.DataFrame | None, client: Client) -> bool:
        """Show a tune as it was when it was looked at last, and return whether there are pictures to come."""
        self._row = row
        known = prompt_frame([]) if found is None else found
        more = self.gallery.show(row, known, client=client, is_latest=False)
        self._show(PollResult(row, 0.0 if more else 1.0, "", found), "" if found is None else "Last seen: ")
        self.layout.display = None
        return more

    def complain(self, what: str) -> None:
        """Say what went wrong beside the looking."""
        self._complaint = what

    def stop(self) -> None:
        """PollResult no more."""
        self.gallery.stop()

    def _looked(self, result: PollResult) -> None:
        self._row = result.frame
        self._came(result)
        self._show(result)

    def _show(self, result: PollResult, when: str = "") -> None:
        self._bar.value = result.fraction_done
        words = " · ".join(filter(None, (when + _in_words(result), self._complaint)))
        self._text.value = Markup("<span>{}</span>").format(words)
        self._color()

    def _color(self) -> None:
        """Tell by the bar how it ended."""
        if self.gallery.state == "failed":
            self._bar.bar_style = "warning"
        elif self._bar.value < 1:
            self._bar.bar_style = ""
        else:
            is_lost = self._row["status"].iloc[0] in ("failed", "expired", "deleted")
            self._bar.bar_style = "danger" if is_lost else "success"


def _in_words(result: PollResult) -> str:
    state, eta = result.frame["status"].iloc[0], result.frame["eta"].iloc[0]
    if state == "failed":
        return "The training failed; what is charged for it stands in your account"
    if state == "deleted":
        return "The tune was deleted"
    if state == "expired":
        return "The tune has expired: the service deletes it 30 days after its training"
    if result.prompts is not None and state not in ("queued", "training"):
        states = result.prompts["status"]
        failed = f" · {(states == 'failed').sum()} failed" if (states == "failed").any() else ""
        return f"Pictures · {(states == 'done').sum()} of {len(states)} prompts done{failed}"
    word = {"queued": "Queued", "training": "Training"}.get(state, "Waiting for the pictures")
    return word if pd.isna(eta) else f"{word} · ready about {_clock(eta)}"


def _clock(at: pd.Timestamp) -> str:
    """Return the time of day where the kernel runs, and the day as well if it is not today."""
    local = at.to_pydatetime().astimezone()
    return local.strftime("%H:%M" if local.date() == datetime.now().astimezone().date() else "%d %b %H:%M")
