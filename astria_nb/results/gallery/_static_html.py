"""The gallery as HTML, for places without widgets, such as a saved notebook. markupsafe escapes all text."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain

from markupsafe import Markup

from astria_nb.images import thumbnail
from astria_nb.results.gallery._comparison import Comparison, ComparisonCell
from astria_nb.results.gallery._contents import PromptCard, PromptPicture
from astria_nb.utils.formatting import shortened

MAX_EMBEDDED = 24  # pictures of at most 20 KB: half a megabyte in the notebook's file
_MAX_BYTES = 800_000  # bytes of a gallery with its pictures: it is written into the notebook repeatedly
_MAX_TEXT, _MAX_TITLE = 1000, 200  # characters
_SIDE = 208  # pixels
_STYLE = "display:inline-block;width:162px;margin:0 8px 8px 0;vertical-align:top"
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
    pairs = [(card, picture) for card in cards for picture in card["pictures"]]
    figures = Markup().join(
        _figure(card, picture, thumbnails[picture["id"]])
        for card, picture in pairs
        if picture["id"] in thumbnails
    )
    links = (_listed(card, picture) for card, picture in pairs if picture["id"] not in thumbnails)
    failures = [card for card in cards if not card["pictures"]]
    count = len(pairs) - sum(picture["id"] in thumbnails for _, picture in pairs) + len(failures)
    items = _bounded(
        chain(links, map(_failure, failures)), count, Markup("<li>and {} more</li>"), size=len(figures)
    )
    listing = Markup("<ul>{}</ul>").format(items) if items else ""
    return str(Markup("<div>{}</div>{}<p>{}</p>").format(figures, listing, summary))


def _bounded(parts: Iterable[Markup], count: int, rest: Markup, *, size: int = 0) -> Markup:
    """Join parts: the first, and those after it that stay within a size.

    Parameters
    ----------
    parts : iterable of Markup
    count : int
        The number of parts.
    rest : Markup
        A part that says how many are left out.
    size : int
        Size in bytes of the HTML before them.
    """
    joined: list[Markup] = []
    for part in parts:
        size += len(part.encode())
        if joined and size > _MAX_BYTES:
            joined.append(rest.format(count - len(joined)))
            break
        joined.append(part)
    return Markup().join(joined)


@lru_cache(maxsize=4 * MAX_EMBEDDED)  # the page is created again whenever a picture arrives
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
        Escaped HTML, as from `gallery_html`.
    """
    headings = Markup().join(
        _HEADING.format(shortened(column["title"], _MAX_TITLE), column["detail"])
        for column in comparison["columns"]
    )
    omission = Markup("<tr><th>and {} more</th></tr>")
    rows = _bounded(
        _rows(comparison, cards, thumbnails), len(comparison["rows"]), omission, size=len(headings)
    )
    head = Markup("<tr><th>Template</th>{}</tr>").format(headings)
    return str(Markup(_SCROLLED).format(head + rows, summary))  # noqa: S704  a constant


def _rows(
    comparison: Comparison, cards: Sequence[PromptCard], thumbnails: Mapping[str, bytes]
) -> Iterator[Markup]:
    failed = {card["id"]: card for card in cards if not card["pictures"]}
    pictures = {picture["id"]: (card, picture) for card in cards for picture in card["pictures"]}

    def content(cell: ComparisonCell) -> Markup | str:
        if cell["id"] in failed:
            return Markup("failed: {}").format(shortened(failed[cell["id"]]["error"], _MAX_TEXT))
        if cell["id"] not in pictures:
            return cell["gap"] or "pending"
        card, picture = pictures[cell["id"]]
        data = thumbnails.get(picture["id"])
        return _image(card, picture, data) if data else _link(picture, "picture")

    for row in comparison["rows"]:
        cells = Markup().join(Markup("<td>{}</td>").format(content(cell)) for cell in row["cells"])
        label = _LABEL.format(shortened(row["label"], _MAX_TEXT), row["detail"])
        yield Markup("<tr>{}{}</tr>").format(label, cells)


def _figure(card: PromptCard, picture: PromptPicture, jpeg: bytes) -> Markup:
    return Markup('<div style="{}">{}<div style="font-size:0.85em">{}</div></div>').format(
        _STYLE, _image(card, picture, jpeg), shortened(_caption(card["text"]), _MAX_TEXT)
    )


def _caption(text: str) -> str:
    """Return a prompt without the tunes in front of it, as the widget shows it."""
    return _TUNES.sub("", text) or text


def _listed(card: PromptCard, picture: PromptPicture) -> Markup:
    return Markup("<li>{}: {}</li>").format(shortened(_caption(card["text"]), _MAX_TEXT), _link(picture))


def _image(card: PromptCard, picture: PromptPicture, jpeg: bytes) -> Markup:
    image = Markup('<img src="data:image/jpeg;base64,{}" alt="{}">').format(
        _embedded(jpeg), shortened(card["text"], _MAX_TEXT)
    )
    return Markup(_LINK).format(picture["url"], image)  # noqa: S704  a constant


def _link(picture: PromptPicture, text: str | None = None) -> Markup:
    if not picture["url"]:
        return Markup("its address is not a web address")
    return Markup(_LINK).format(picture["url"], text or picture["url"])  # noqa: S704  a constant


def _failure(card: PromptCard) -> Markup:
    text, error = (shortened(value, _MAX_TEXT) for value in (_caption(card["text"]), card["error"]))
    return Markup("<li>{}: failed, {}</li>").format(text, error)
