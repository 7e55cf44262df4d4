"""Rows as static HTML; markupsafe escapes all text."""

from __future__ import annotations

from typing import Any

import pandas as pd
from markupsafe import Markup
from pandas.api.types import is_list_like

from astria_nb.errors import printable_lines
from astria_nb.form._static_html import MAX_TEXT, bounded
from astria_nb.utils.formatting import shortened
from astria_nb.utils.redaction import redact_name

_WIDE = 48  # characters


def row_html(rows: pd.DataFrame) -> Markup:
    """Return rows as a table, without the columns that are empty.

    It is called on threads, and `DataFrame.to_html` changes a pandas option for the whole process while it
    runs: a table that a cell displays at that moment would look different.
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
        text = shortened(_row_text(value), MAX_TEXT)
        return _text_cell(text, text)
    if is_list_like(value):
        items = bounded([_row_text(str(item)) for item in value])
        # The form shows them in one line.
        return _text_cell(" ".join(items), Markup(" <br>").join(items))
    if isinstance(value, pd.Timestamp) and not pd.isna(value):
        text = f"{value:%Y-%m-%d %H:%M:%S %Z}".strip()
    else:
        text = "" if _is_empty(value) else shortened(str(value), MAX_TEXT)
    return Markup("<td>{}</td>").format(text)


def _text_cell(text: str, content: str) -> Markup:
    """Return a cell. Text that is too long for its column is truncated, and complete in its tooltip."""
    tooltip = Markup(' title="{}"').format(text) if len(text) > _WIDE else ""
    return Markup("<td{}>{}</td>").format(tooltip, content)


def _row_text(text: str) -> str:
    """Return a text without signatures: they would give every reader of the notebook the training photos."""
    return printable_lines(redact_name(text))
