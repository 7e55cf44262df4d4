"""A gallery where no widget runs: in a saved notebook, on paper. markupsafe escapes all text."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup

from astria_nb.images.image import thumbnail
from astria_nb.results.gallery.cards import Card, Picture

EMBEDDED = 24  # pictures, 20 KB each at the most: half a megabyte in the notebook's file
_SIDE = 208  # pixels of each
_STYLE = "display:inline-block;width:200px;margin:0 8px 8px 0;vertical-align:top"
_LINK = '<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>'


def gallery_html(cards: Sequence[Card], copies: Mapping[str, bytes], summary: str) -> Markup:
    """Return cards as a grid: pictures where there is a copy, and the addresses of the others.

    Parameters
    ----------
    cards : sequence of Card
    copies : mapping of str to bytes
        JPEGs by the pictures' ids.
    summary : str
        The line below.
    """
    figures: list[Markup] = []
    others: list[Markup] = []
    for card, picture in _pictures(cards):
        if copy := copies.get(picture["id"]):
            figures.append(_figure(card, picture, thumbnail(copy, _SIDE)))
        else:
            others.append(Markup("<li>{}: {}</li>").format(card["text"], _link(picture)))
    failed = [_failure(card) for card in cards if not card["pictures"]]
    rest = Markup("<ul>{}</ul>").format(Markup().join([*others, *failed])) if others or failed else ""
    return Markup("<div>{}</div>{}<p>{}</p>").format(Markup().join(figures), rest, summary)


def _pictures(cards: Sequence[Card]) -> Iterator[tuple[Card, Picture]]:
    return ((card, picture) for card in cards for picture in card["pictures"])


def _figure(card: Card, picture: Picture, copy: bytes) -> Markup:
    data = base64.b64encode(copy).decode()
    shown = Markup('<img src="data:image/jpeg;base64,{}" alt="{}">').format(data, card["text"])
    linked = Markup(_LINK).format(picture["url"], shown)  # noqa: S704  a constant
    return Markup('<div style="{}">{}<div style="font-size:0.85em">{}</div></div>').format(
        _STYLE, linked, card["text"]
    )


def _link(picture: Picture) -> Markup:
    if not picture["url"]:
        return Markup("its address is none of the web")
    return Markup(_LINK).format(picture["url"], picture["url"])  # noqa: S704  a constant


def _failure(card: Card) -> Markup:
    return Markup("<li>{}: failed, {}</li>").format(card["text"], card["error"])
