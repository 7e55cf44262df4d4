"""What is seen of a tune after it was submitted: how its training goes, and its pictures as they come."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import ipywidgets as widgets
import pandas as pd
from markupsafe import Markup

from astria_nb.client import Client
from astria_nb.errors import AstriaError
from astria_nb.form.background import start_until_exit
from astria_nb.form.fields import WIDE
from astria_nb.form.pictures import Picture, fetched, grid_html, made
from astria_nb.watch import Look, follow

_POLL = 0.5  # seconds between the first two looks


class Watching(widgets.VBox):
    """A bar, a line, and the pictures; on a thread of its own, which ends with the kernel.

    Parameters
    ----------
    came : callable
        Called with the row whenever it was looked at.
    """

    def __init__(self, came: Callable[[pd.DataFrame], None]) -> None:
        self._came = came
        self._bar = widgets.FloatProgress(max=1.0, layout=widgets.Layout(flex="1 1 200px"))
        self._text = widgets.HTML(layout=widgets.Layout(flex="2 1 240px"))
        self._again = widgets.Button(description="Look again", layout=widgets.Layout(width="auto"))
        self._again.on_click(lambda _: self._start())
        self._line = widgets.HBox([self._bar, self._text, self._again], layout=WIDE)
        self._line.add_class("astria-training")
        self._pictures = widgets.VBox(layout=WIDE)
        self._pictures.add_class("astria-pictures")
        self._stopped = threading.Event()
        self._target: tuple[pd.DataFrame, Client] | None = None
        super().__init__([self._line, self._pictures], layout=widgets.Layout(width="100%", display="none"))

    def watch(self, row: pd.DataFrame, client: Client) -> None:
        """Follow a tune until its pictures are there, instead of the one before."""
        self.stop()
        self._target = row, client
        self._pictures.children = ()
        self.layout.display = None
        self._start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def _start(self) -> None:
        assert self._target is not None
        self._stopped.set()
        self._stopped = threading.Event()
        self._again.layout.display = "none"
        self._bar.bar_style = ""
        row, client = self._target
        start_until_exit(self._follow, row, client, self._stopped, stop=self._stopped)

    def _follow(self, row: pd.DataFrame, client: Client, stopped: threading.Event) -> None:
        shown: set[str] = set()
        try:
            for look in follow(row, client, "prompts", poll=_POLL, rest=stopped.wait):
                if stopped.is_set():
                    return
                self._target = look.frame, client
                self._came(look.frame)
                self._show(look)
                new = [] if look.prompts is None else [p for p in made(look.prompts) if p.url not in shown]
                shown |= {each.url for each in new}
                self._add(fetched(new, client))
                if look.finished >= 1:
                    self._end(look)
        except AstriaError as error:
            self._fail(str(error))
        except Exception as error:
            self._fail(f"{type(error).__name__}: {error}")
            raise

    def _show(self, look: Look) -> None:
        self._bar.value = look.finished
        self._say(_in_words(look))

    def _end(self, look: Look) -> None:
        state = look.frame["status"].iloc[0]
        self._bar.bar_style = "danger" if state in ("failed", "expired") else "success"

    def _add(self, pictures: tuple[Picture, ...]) -> None:
        if pictures:
            self._pictures.children = (*self._pictures.children, widgets.HTML(grid_html(pictures)))

    def _fail(self, what: str) -> None:
        self._say(what)
        self._bar.bar_style = "warning"
        self._again.layout.display = None

    def _say(self, text: str) -> None:
        self._text.value = Markup("<span>{}</span>").format(text)


def _in_words(look: Look) -> str:
    state, eta = look.frame["status"].iloc[0], look.frame["eta"].iloc[0]
    if state == "failed":
        return "The training failed; what is charged for it stands in your account"
    if state == "expired":
        return "The tune has expired: the service deletes it 30 days after its training"
    if look.prompts is not None:
        states = look.prompts["status"]
        failed = f" · {(states == 'failed').sum()} failed" if (states == "failed").any() else ""
        return f"Pictures · {(states == 'done').sum()} of {len(states)} prompts done{failed}"
    word = {"queued": "Queued", "training": "Training"}.get(state, "Waiting for the pictures")
    return word if pd.isna(eta) else f"{word} · ready about {_clock(eta)}"


def _clock(at: pd.Timestamp) -> str:
    """Return the time of day where the kernel runs, and the day as well if it is not today."""
    local = at.to_pydatetime().astimezone()
    return local.strftime("%H:%M" if local.date() == datetime.now().astimezone().date() else "%d %b %H:%M")
