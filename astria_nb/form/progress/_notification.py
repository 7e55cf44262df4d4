"""A browser notification when a tune is done, which the user turns on."""

from __future__ import annotations

from pathlib import Path

import traitlets

from astria_nb.utils.script import script
from astria_nb.utils.script_widget import ScriptWidget
from astria_nb.utils.stylesheet import stylesheet


class NotificationSwitch(ScriptWidget):
    """A switch below the training: if it is on, the page notifies the user when the tune is done.

    The browser asks for permission at the click; if it cannot show notifications, the switch says so and is
    off.
    """

    _esm = script(Path(__file__).with_name("notification.js"))
    _css = stylesheet(Path(__file__).with_name("notification.css"))

    wanted = traitlets.Bool(False).tag(sync=True)
    """Whether the switch is on. It goes off after the notification."""
    title = traitlets.Unicode().tag(sync=True)
    """The first line of the notification."""
    message = traitlets.Unicode().tag(sync=True)
    """Its text; empty until the tune is done."""

    def begin(self, title: str) -> None:
        """Show the switch for a tune that is followed."""
        self.title, self.message = title, ""
        self.layout.display = None

    def end(self, message: str) -> None:
        """Notify that the tune is done if the switch is on; otherwise hide the switch."""
        if not self.message:
            if not self.wanted:
                self.hide()
            self.message = message

    def hide(self) -> None:
        """Hide the switch while no tune is followed."""
        self.layout.display = "none"

    def __repr__(self) -> str:
        return f"NotificationSwitch(wanted={self.wanted})"
