"""The request that would be sent, as code in four languages."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import traitlets

from astria_nb.client.snippets import as_curl, as_javascript, as_json, as_python
from astria_nb.errors import AstriaError
from astria_nb.form.images import naming_controls
from astria_nb.tune import Encoding, Tune
from astria_nb.utils.redaction import PLACEHOLDER
from astria_nb.utils.script import script
from astria_nb.utils.script_widget import ScriptWidget
from astria_nb.utils.signatures import pair_of, secrets_in
from astria_nb.utils.stylesheet import stylesheet

_LANGUAGES = {"cURL": as_curl, "Python": as_python, "JavaScript": as_javascript}
_UNCHANGED_PHOTOS = (
    "This code sends the photos unchanged, with their location, time and camera; the form removes those."
)

_HIDDEN_SECRETS = "Secrets in addresses are left out, because the notebook is saved with this code."
_MIN_SECRET = 6  # characters; shorter values may occur elsewhere in the code


class RequestView(ScriptWidget):
    """Tabs with the request as cURL, Python, JavaScript and JSON. None of them contains the API key.

    Parameters
    ----------
    base_url : str
        The service's address.
    """

    _esm = script(Path(__file__).with_name("request_view.js"))
    _css = stylesheet(Path(__file__).with_name("request_view.css"))

    texts: traitlets.Dict[str, str] = traitlets.Dict().tag(sync=True)
    """The code, by language."""
    note = traitlets.Unicode().tag(sync=True)
    """Shown above the code."""
    language = traitlets.Unicode("cURL").tag(sync=True)
    """The open tab."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        super().__init__()
        self.show(None)

    def show(self, tune: Tune | None, encoding: Encoding | None = None) -> None:
        """Show the request for a tune, or a placeholder if there is no valid tune.

        Parameters
        ----------
        tune : Tune or None
        encoding : {"multipart", "form", "json"}, optional
        """
        self.note = _UNCHANGED_PHOTOS if tune is not None and tune.images else ""
        secrets = [] if tune is None else _secrets(tune)
        if secrets:
            self.note = f"{self.note} {_HIDDEN_SECRETS}".strip()
        texts = {language: self._code(language, tune, encoding) for language in [*_LANGUAGES, "JSON"]}
        for secret in secrets:
            texts = {language: text.replace(secret, PLACEHOLDER) for language, text in texts.items()}
        self.texts = texts

    def _code(self, language: str, tune: Tune | None, encoding: Encoding | None) -> str:
        if tune is None:
            return "The request appears here once the form is complete."
        try:
            if language == "JSON":
                return as_json(tune)
            return _LANGUAGES[language](tune, encoding=encoding, base_url=self._base_url)
        except AstriaError as error:  # such as files, which JSON cannot carry
            return naming_controls(str(error))

    def __repr__(self) -> str:
        return f"RequestView({self.language!r})"


def _secrets(tune: Tune) -> list[str]:
    """Return secrets of a tune: values in its callbacks' query strings, and signatures of its photos."""
    attributes = tune.prompt_attributes or {}
    callbacks = [tune.callback, tune.prompts_callback, attributes.get("callback")]
    values = [value for url in callbacks if isinstance(url, str) for _, value in _pairs(urlsplit(url).query)]
    for url in tune.image_urls or ():
        parts = urlsplit(url)
        pairs = _pairs(f"{parts.query}&{parts.fragment}")
        values += [parts.netloc.rpartition("@")[0]]
        values += [value for _, value in secrets_in(pair_of(f"{name}={value}") for name, value in pairs)]
    return sorted({value for value in values if len(value) >= _MIN_SECRET}, key=len, reverse=True)


def _pairs(query: str) -> list[tuple[str, str]]:
    """Return names and values; a value without a name may be a token."""
    return [(name, value) for name, _, value in (pair.rpartition("=") for pair in re.split("[&;]", query))]
