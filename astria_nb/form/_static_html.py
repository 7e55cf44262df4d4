"""The form and its row as static HTML, for where no widget runs. markupsafe escapes all text."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from astria_nb.errors import printable_lines
from astria_nb.images import Image, thumbnail
from astria_nb.tune import FIELDS

_SIDE = 96  # pixels of a thumbnail


def form_html(heading: str, draft: Mapping[str, Any], footer: str, thumbnails: bool) -> str:
    """Return a draft as a table.

    Parameters
    ----------
    heading : str
        The line above.
    draft : mapping of str to object
        The filled-in fields, by their names in the API.
    footer : str
        The line below.
    thumbnails : bool
        Whether photos are shown. Otherwise they are file names: the page is saved with the notebook.

    Returns
    -------
    str
    """
    rows = [
        Markup("<tr><th style='text-align:left'>{}</th><td style='text-align:left'>{}</td></tr>").format(
            FIELDS[name].heading, _cell(value, thumbnails)
        )
        for name, value in draft.items()
    ]
    return Markup("<p><b>Train a tune</b> · {}</p><table>{}</table><p>{}</p>").format(
        heading, Markup().join(rows), footer
    )


def row_html(row: pd.DataFrame) -> str:
    """Return a row as a table, without its empty columns."""
    table = row.dropna(axis="columns", how="all")
    html = table.to_html(index=False, border=0, escape=True, max_cols=None)
    return Markup(printable_lines(html))  # noqa: S704  pandas escapes


def _cell(value: Any, thumbnails: bool) -> Markup:
    if isinstance(value, Mapping):
        return _lines(f"{key}: {text}" for key, text in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        if thumbnails and any(isinstance(item, Image) for item in value):
            return Markup(" ").join(_image_html(image) for image in value)
        return _lines(item.filename if isinstance(item, Image) else str(item) for item in value)
    return Markup("{}").format(value)


def _lines(lines: Iterable[str]) -> Markup:
    return Markup("<br>").join(lines)


def _image_html(image: Any) -> Markup:
    """Return an image with its thumbnail embedded; a path that cannot be opened as text."""
    try:
        data = base64.b64encode(thumbnail(image.path, _SIDE)).decode()
    except (OSError, AttributeError):
        return Markup("{}").format(image)
    return Markup('<img src="data:image/jpeg;base64,{}" alt="{}">').format(data, image.filename)
