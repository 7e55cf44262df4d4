"""The form as static HTML, for places without widgets. markupsafe escapes all text."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from astria_nb.form.images import file_name
from astria_nb.images import Image, thumbnail
from astria_nb.tune import FIELDS
from astria_nb.utils.formatting import shortened

_SIDE = 96  # pixels of a thumbnail
# The page is saved with the notebook.
_MAX_ITEMS = 50  # images, addresses, errors
MAX_TEXT = 1000  # characters of each text
_LABEL_STYLE = "text-align:left;overflow-wrap:normal"  # in the cell beside it, long words are broken


def form_html(
    account: str, draft: Mapping[str, Any], status: str, problems: Sequence[str], thumbnails: bool
) -> Markup:
    """Return a draft as a table.

    Parameters
    ----------
    account : str
        A description of the account.
    draft : mapping of str to object
        The filled-in fields, by their names in the API.
    status : str
        The line below.
    problems : sequence of str
        The errors below it.
    thumbnails : bool
        Whether photos are shown. Otherwise their file names are shown: the page is saved with the notebook.
    """
    rows = [
        Markup("<tr><th style='{}'>{}</th><td style='text-align:left'>{}</td></tr>").format(
            _LABEL_STYLE, FIELDS[name].heading, _cell(name, value, thumbnails)
        )
        for name, value in draft.items()
    ]
    page = Markup("<p><b>Train a tune</b> · {}</p><table>{}</table><p>{}</p>").format(
        account, Markup().join(rows), status
    )
    items = Markup().join(Markup("<li>{}</li>").format(problem) for problem in bounded(problems))
    return page + Markup("<ul>{}</ul>").format(items) if problems else page


def _cell(name: str, value: Any, thumbnails: bool) -> Markup:
    if isinstance(value, Mapping):
        return _lines(f"{key}: {text}" for key, text in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        if thumbnails and any(isinstance(item, Image) for item in value):
            return Markup(" ").join([*map(_image_html, value[:_MAX_ITEMS]), *_more(value)])
        return _lines(file_name(item) if name == "images" else str(item) for item in value)
    return Markup("{}").format(shortened(str(value), MAX_TEXT))


def _lines(lines: Iterable[str]) -> Markup:
    return Markup("<br>").join(bounded(list(lines)))


def bounded(lines: Sequence[str]) -> list[str]:
    """Return the first lines, each shortened, and how many more there are."""
    return [*(shortened(line, MAX_TEXT) for line in lines[:_MAX_ITEMS]), *_more(lines)]


def _more(items: Sequence[Any]) -> list[str]:
    return [f"and {len(items) - _MAX_ITEMS} more"] if len(items) > _MAX_ITEMS else []


def _image_html(image: Any) -> Markup:
    """Return an image with its thumbnail embedded, or its file name if it cannot be opened."""
    try:
        data = _embedded(image.path, image.path.stat().st_mtime_ns)
    except (OSError, AttributeError):
        return Markup("{}").format(file_name(image))
    return Markup('<img src="data:image/jpeg;base64,{}" alt="{}">').format(data, image.filename)


@lru_cache(maxsize=4 * _MAX_ITEMS)  # the page is created again whenever the form changes
def _embedded(path: Path, _modified: int) -> str:
    return base64.b64encode(thumbnail(path, _SIDE)).decode()
