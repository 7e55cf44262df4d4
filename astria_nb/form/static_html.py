"""The form and its row where no widget runs: on a web page, on paper. markupsafe escapes all text."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from astria_nb.images.image import Image, thumbnail
from astria_nb.tune.tune import FIELDS

_SIDE = 96  # pixels of a thumbnail


def form_html(heading: str, draft: Mapping[str, Any], footer: str) -> str:
    """Return a draft as a table, with the pictures in it.

    Parameters
    ----------
    heading, footer : str
        Lines above and below.
    draft : mapping
        The fields that were filled in, by their names in the API.
    """
    rows = [
        Markup("<tr><th style='text-align:left'>{}</th><td style='text-align:left'>{}</td></tr>").format(
            FIELDS[name].heading, _cell(value)
        )
        for name, value in draft.items()
    ]
    return Markup("<p><b>Train a tune</b> · {}</p><table>{}</table><p>{}</p>").format(
        heading, Markup().join(rows), footer
    )


def row_html(row: pd.DataFrame) -> str:
    """Return a row as a table of those columns that say something."""
    table = row.dropna(axis="columns", how="all")
    return Markup(table.to_html(index=False, border=0, escape=True, max_cols=None))  # noqa: S704  pandas escapes


def picture_html(jpeg: bytes, name: str) -> Markup:
    """Return an ``<img>`` that carries its picture."""
    data = base64.b64encode(jpeg).decode()
    return Markup('<img src="data:image/jpeg;base64,{}" alt="{}">').format(data, name)


def _cell(value: Any) -> Markup:
    if isinstance(value, Mapping):
        return _lines(f"{key}: {each}" for key, each in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        if any(isinstance(each, Image) for each in value):
            return Markup(" ").join(_picture(each) for each in value)
        return _lines(map(str, value))
    return Markup("{}").format(value)


def _lines(lines: Iterable[str]) -> Markup:
    return Markup("<br>").join(lines)


def _picture(item: Any) -> Markup:
    try:
        return picture_html(thumbnail(item.path, _SIDE), item.filename)
    except (OSError, AttributeError):
        return Markup("{}").format(item)
