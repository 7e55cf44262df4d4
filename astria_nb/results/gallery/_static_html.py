"""The gallery as HTML, for where no widget runs, such as a saved notebook. markupsafe escapes all text."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from markupsafe import Markup

from astria_nb.images import thumbnail
from astria_nb.results.gallery._comparison import Comparison
from astria_nb.results.gallery._contents import PromptCard, PromptPicture

MAX_EMBEDDED = 24  # pictures of at most 20 KB: half a megabyte in the notebook's file
_MAX_LISTED = 500  # lines of those without a thumbnail
_SIDE = 208  # pixels
_STYLE = "display:inline-block;width:200px;margin:0 8px 8px 0;vertical-align:top"
_SCROLLED = (
    '<div style="overflow-x:auto" role="region" aria-label="Pictures by template" tabindex="0">'
    "<table>{}</table></div><p>{}</p>"
)
_TUNES = re.compile(r"^(\s*<lora:[\w.:-]*>)+\s*")
_LINK = '<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>'
_HEADING = Markup("<th>{}<br><small>{}</small></th>")
_LABEL = Markup('<th style="max-width:200px;text-align:left">{}<br><small>{}</small></th>')


def gallery_html(cards: Sequence[PromptCard], thumbnails: Mapping[str, bytes], summary: str) -> str:
    """Return a grid of pictures, and links to those without a thumbnail.

    Parameters
    ----------
    cards : sequence of PromptCard
    thumbnails : mapping of str to bytes
        JPEG files by the id of their picture.
    summary : str
        The line below the grid.

    Returns
    -------
    str
        Escaped HTML. A plain string: some frontends refuse a subclass.
    """
    figures: list[Markup] = []
    items: list[Markup] = []
    for card in cards:
        for picture in card["pictures"]:
            if data := thumbnails.get(picture["id"]):
                figures.append(_figure(card, picture, data))
            else:
                items.append(Markup("<li>{}: {}</li>").format(card["text"], _link(picture)))
    items += [_failure(card) for card in cards if not card["pictures"]]
    if len(items) > _MAX_LISTED:
        items[_MAX_LISTED:] = [Markup("<li>and {} more</li>").format(len(items) - _MAX_LISTED)]
    listing = Markup("<ul>{}</ul>").format(Markup().join(items)) if items else ""
    return str(Markup("<div>{}</div>{}<p>{}</p>").format(Markup().join(figures), listing, summary))


@lru_cache(maxsize=4 * MAX_EMBEDDED)  # the page is made again whenever a picture arrives
def _embedded(jpeg: bytes) -> str:
    return base64.b64encode(thumbnail(jpeg, _SIDE)).decode()


def comparison_html(
    comparison: Comparison, cards: Sequence[PromptCard], thumbnails: Mapping[str, bytes], summary: str
) -> str:
    """Return a table of pictures by template and tune, with links for those without a thumbnail.

    Parameters
    ----------
    comparison : Comparison
    cards : sequence of PromptCard
    thumbnails : mapping of str to bytes
        JPEG files by the id of their picture.
    summary : str
        The line below the table.

    Returns
    -------
    str
        Escaped HTML, as of `gallery_html`.
    """
    contents = {card["id"]: Markup("failed: {}").format(card["error"]) for card in cards}
    for card in cards:
        for picture in card["pictures"]:
            data = thumbnails.get(picture["id"])
            contents[picture["id"]] = _image(card, picture, data) if data else _link(picture, "picture")
    headings = [_HEADING.format(column["title"], column["detail"]) for column in comparison["columns"]]
    lines = [Markup("<tr><th>Template</th>{}</tr>").format(Markup().join(headings))]
    for row in comparison["rows"]:
        cells = [
            Markup("<td>{}</td>").format(contents.get(cell["id"], cell["gap"] or "pending"))
            for cell in row["cells"]
        ]
        lines.append(
            Markup("<tr>{}{}</tr>").format(_LABEL.format(row["label"], row["detail"]), Markup().join(cells))
        )
    return str(Markup(_SCROLLED).format(Markup().join(lines), summary))  # noqa: S704  a constant


def _figure(card: PromptCard, picture: PromptPicture, jpeg: bytes) -> Markup:
    return Markup('<div style="{}">{}<div style="font-size:0.85em">{}</div></div>').format(
        _STYLE, _image(card, picture, jpeg), _caption(card["text"])
    )


def _caption(text: str) -> str:
    """Return a prompt without the tunes in front of it, as the widget shows it."""
    return _TUNES.sub("", text) or text


def _image(card: PromptCard, picture: PromptPicture, jpeg: bytes) -> Markup:
    image = Markup('<img src="data:image/jpeg;base64,{}" alt="{}">').format(_embedded(jpeg), card["text"])
    return Markup(_LINK).format(picture["url"], image)  # noqa: S704  a constant


def _link(picture: PromptPicture, text: str | None = None) -> Markup:
    if not picture["url"]:
        return Markup("its address is not a web address")
    return Markup(_LINK).format(picture["url"], text or picture["url"])  # noqa: S704  a constant


def _failure(card: PromptCard) -> Markup:
    return Markup("<li>{}: failed, {}</li>").format(card["text"], card["error"])
