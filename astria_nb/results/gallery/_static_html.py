"""The gallery as HTML, for where no widget runs, such as a saved notebook. markupsafe escapes all text."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from astria_nb.images import thumbnail
from astria_nb.results.gallery._contents import PromptCard, PromptPicture

MAX_EMBEDDED = 24  # pictures of at most 20 KB: half a megabyte in the notebook's file
_SIDE = 208  # pixels
_STYLE = "display:inline-block;width:200px;margin:0 8px 8px 0;vertical-align:top"
_LINK = '<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>'


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
                figures.append(_figure(card, picture, thumbnail(data, _SIDE)))
            else:
                items.append(Markup("<li>{}: {}</li>").format(card["text"], _link(picture)))
    items += [_failure(card) for card in cards if not card["pictures"]]
    listing = Markup("<ul>{}</ul>").format(Markup().join(items)) if items else ""
    return str(Markup("<div>{}</div>{}<p>{}</p>").format(Markup().join(figures), listing, summary))


def _figure(card: PromptCard, picture: PromptPicture, jpeg: bytes) -> Markup:
    data = base64.b64encode(jpeg).decode()
    image = Markup('<img src="data:image/jpeg;base64,{}" alt="{}">').format(data, card["text"])
    link = Markup(_LINK).format(picture["url"], image)  # noqa: S704  a constant
    return Markup('<div style="{}">{}<div style="font-size:0.85em">{}</div></div>').format(
        _STYLE, link, card["text"]
    )


def _link(picture: PromptPicture) -> Markup:
    if not picture["url"]:
        return Markup("its address is not a web address")
    return Markup(_LINK).format(picture["url"], picture["url"])  # noqa: S704  a constant


def _failure(card: PromptCard) -> Markup:
    return Markup("<li>{}: failed, {}</li>").format(card["text"], card["error"])
