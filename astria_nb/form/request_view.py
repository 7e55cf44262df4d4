"""The request that would be sent, as code in four languages."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets

from astria_nb.client.snippets.common import as_curl, as_javascript, as_json, as_python
from astria_nb.errors import AstriaError
from astria_nb.tune.encoding import Encoding
from astria_nb.tune.tune import Tune
from astria_nb.utils.script import script
from astria_nb.utils.stylesheet import stylesheet

_LANGUAGES = {"cURL": as_curl, "Python": as_python, "JavaScript": as_javascript}
_AS_THEY_ARE = "This code sends the photos as they are, place and time included; the form takes those out."


class RequestView(anywidget.AnyWidget):
    """Tabs with the request as cURL, Python, JavaScript and JSON; never with the key in them.

    Parameters
    ----------
    base_url : str
        The service's address.
    """

    _esm = script(Path(__file__).with_name("request_view.js"))
    _css = stylesheet(Path(__file__).with_name("request_view.css"))

    texts: traitlets.Dict[str, str] = traitlets.Dict().tag(sync=True)
    """The code by its language."""
    note = traitlets.Unicode().tag(sync=True)
    """What is to be known of it."""
    language = traitlets.Unicode("cURL").tag(sync=True)
    """Which one is seen."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        super().__init__()
        self.show(None)

    def show(self, tune: Tune | None, encoding: Encoding | None = None) -> None:
        """Show how a tune is sent; without one, that there is none to send."""
        self.note = _AS_THEY_ARE if tune is not None and tune.images else ""
        self.texts = {name: self._text(name, tune, encoding) for name in [*_LANGUAGES, "JSON"]}

    def _text(self, language: str, tune: Tune | None, encoding: Encoding | None) -> str:
        if tune is None:
            return "Once nothing is left to mend, the request stands here."
        try:
            if language == "JSON":
                return as_json(tune)
            return _LANGUAGES[language](tune, encoding=encoding, base_url=self._base_url)
        except AstriaError as error:  # such as files, which JSON cannot carry
            return str(error)

    def __repr__(self) -> str:
        return f"RequestView({self.language!r})"
