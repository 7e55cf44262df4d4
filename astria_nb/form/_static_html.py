"""The form and its row as static HTML, for where no widget runs. markupsafe escapes all text."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup
from pandas.api.types import is_list_like

from astria_nb.errors import printable_lines
from astria_nb.images import Image, thumbnail
from astria_nb.tune import FIELDS
from astria_nb.utils.formatting import shortened
from astria_nb.utils.redaction import redact_name

_SIDE = 96  # pixels of a thumbnail
# The page is saved with the notebook.
_MAX_ITEMS = 50  # images, addresses, errors
_MAX_TEXT = 1000  # characters of each text


def form_html(
    account: str, draft: Mapping[str, Any], status: str, problems: Sequence[str], thumbnails: bool
) -> Markup:
    """Return a draft as a table.

    Parameters
    ----------
    account : str
        Whose account it is.
    draft : mapping of str to object
        The filled-in fields, by their names in the API.
    status : str
        The line below.
    problems : sequence of str
        The errors below it.
    thumbnails : bool
        Whether photos are shown. Otherwise they are file names: the page is saved with the notebook.
    """
    rows = [
        Markup("<tr><th style='text-align:left'>{}</th><td style='text-align:left'>{}</td></tr>").format(
            FIELDS[name].heading, _cell(value, thumbnails)
        )
        for name, value in draft.items()
    ]
    page = Markup("<p><b>Train a tune</b> · {}</p><table>{}</table><p>{}</p>").format(
        account, Markup().join(rows), status
    )
    items = Markup().join(Markup("<li>{}</li>").format(problem) for problem in _bounded(problems))
    return page + Markup("<ul>{}</ul>").format(items) if problems else page


def row_html(rows: pd.DataFrame) -> Markup:
    """Return rows as a table, without the columns that are empty.

    It is called on threads, and `DataFrame.to_html` changes an option of pandas for the whole process while
    it runs: a table that a cell displays at that moment would come out different.
    """
    is_empty = {name: all(map(_is_empty, rows[name])) for name in rows.columns}
    table = rows[[name for name in rows.columns if not is_empty[name]]]
    names = [printable_lines(str(name)) for name in table.columns]
    head = Markup().join(Markup("<th>{}</th>").format(name) for name in names)
    body = Markup().join(
        Markup("<tr>{}</tr>").format(Markup().join(map(_row_cell, record)))
        for record in zip(*(table[name] for name in table.columns), strict=True)
    )
    page = '<table class="dataframe"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>'
    return Markup(page).format(head, body)  # noqa: S704  a constant


def _is_empty(value: Any) -> bool:
    return not len(value) if is_list_like(value) else bool(pd.isna(value))


def _row_cell(value: Any) -> Markup:
    if isinstance(value, str):
        text = shortened(_row_text(value), _MAX_TEXT)
    elif is_list_like(value):
        items = _bounded([_row_text(str(item)) for item in value])
        return Markup("<td>{}</td>").format(Markup(" <br>").join(items))  # the form shows them in one line
    elif isinstance(value, pd.Timestamp) and not pd.isna(value):
        text = f"{value:%Y-%m-%d %H:%M:%S %Z}".strip()
    else:
        text = "" if _is_empty(value) else shortened(str(value), _MAX_TEXT)
    return Markup("<td>{}</td>").format(text)


def _row_text(text: str) -> str:
    """Return a text without signatures: with them, whoever has the notebook has the training photos."""
    return printable_lines(redact_name(text))


def _cell(value: Any, thumbnails: bool) -> Markup:
    if isinstance(value, Mapping):
        return _lines(f"{key}: {text}" for key, text in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        if thumbnails and any(isinstance(item, Image) for item in value):
            return Markup(" ").join([*map(_image_html, value[:_MAX_ITEMS]), *_more(value)])
        return _lines(item.filename if isinstance(item, Image) else str(item) for item in value)
    return Markup("{}").format(shortened(str(value), _MAX_TEXT))


def _lines(lines: Iterable[str]) -> Markup:
    return Markup("<br>").join(_bounded(list(lines)))


def _bounded(lines: Sequence[str]) -> list[str]:
    return [*(shortened(line, _MAX_TEXT) for line in lines[:_MAX_ITEMS]), *_more(lines)]


def _more(items: Sequence[Any]) -> list[str]:
    return [f"and {len(items) - _MAX_ITEMS} more"] if len(items) > _MAX_ITEMS else []


def _image_html(image: Any) -> Markup:
    """Return an image with its thumbnail embedded; a path that cannot be opened as text."""
    try:
        data = _embedded(image.path, image.path.stat().st_mtime_ns)
    except (OSError, AttributeError):
        return Markup("{}").format(image.filename if isinstance(image, Image) else image)
    return Markup('<img src="data:image/jpeg;base64,{}" alt="{}">').format(data, image.filename)


@lru_cache(maxsize=4 * _MAX_ITEMS)  # the page is made again whenever the form changes
def _embedded(path: Path, _modified: int) -> str:
    return base64.b64encode(thumbnail(path, _SIDE)).decode()
