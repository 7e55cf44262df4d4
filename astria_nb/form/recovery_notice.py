"""What an earlier kernel left open: said above the button, and looked for at a click."""

from __future__ import annotations

import ipywidgets as widgets
from markupsafe import Markup

from astria_nb.client.client import Client
from astria_nb.errors import AstriaError
from astria_nb.log import Log
from astria_nb.log.states import Submission
from astria_nb.submission import recovery
from astria_nb.utils import background


class RecoveryNotice(widgets.HBox):
    """A line that names the submissions without an outcome, and a button that looks for them."""

    def __init__(self, log: Log, client: Client) -> None:
        self._log, self._client = log, client
        self._text = widgets.HTML(layout=widgets.Layout(flex="1 1 240px"))
        self._button = widgets.Button(description="Look for them", layout=widgets.Layout(width="auto"))
        self._button.on_click(lambda _: background.start(self._recover))
        super().__init__([self._button, self._text], layout=widgets.Layout(width="100%"))
        self.show()

    def show(self) -> None:
        """Say what is open; nothing when nothing is."""
        try:
            found = self._log.unsettled(self._client.service) if self._log.path.exists() else []
            found = [each for each in found if recovery.is_left_open(self._log, each)]
        except AstriaError as error:
            self._say(str(error), button=False)
        else:
            self._say(f"No outcome is known of {_names(found)}" if found else "", button=bool(found))

    def _recover(self) -> None:
        self._button.disabled = True
        try:
            settled = recovery.recover(self._log, self._client, say=lambda _, text: self._say(text))
        except AstriaError as error:
            self._say(str(error))
        else:
            told = [f"{each.title or 'a run'} is {each.state}" for each in settled]
            self._say(", ".join(told) or "Nothing is left open", button=False)
        finally:
            self._button.disabled = False

    def _say(self, text: str, *, button: bool = True) -> None:
        self._text.value = Markup("<span>{}</span>").format(text)
        self._button.layout.display = None if button else "none"
        self.layout.display = None if text else "none"


def _names(submissions: list[Submission]) -> str:
    return ", ".join(each.title or "a run on existing tunes" for each in submissions)
