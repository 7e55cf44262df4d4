"""The pictures of tunes, in a grid."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pandas as pd
from markupsafe import Markup

from astria_nb.client import Client
from astria_nb.defaults import client_or_default
from astria_nb.errors import AstriaError
from astria_nb.form.static import picture_html
from astria_nb.images import thumbnail
from astria_nb.watch import prompts

_SIDE = 240  # pixels of a thumbnail: a dozen of them keep a notebook file below half a megabyte
_STYLE = "display:inline-block;width:200px;margin:0 8px 8px 0;vertical-align:top"


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: its prompt, its address, and a thumbnail where it could be fetched."""

    prompt_id: int
    text: str
    url: str
    thumbnail: bytes | None = None


@dataclass(frozen=True, slots=True)
class Gallery:
    """The pictures of tunes, shown as a grid; the text stands under each, a click opens the picture."""

    pictures: tuple[Picture, ...]
    total: int
    pending: int
    failed: int

    def __repr__(self) -> str:
        return f"Gallery({self._summary()})"

    def _repr_html_(self) -> str:
        return Markup("{}<p>{}</p>").format(grid_html(self.pictures), self._summary())

    def _summary(self) -> str:
        shown = "" if len(self.pictures) == self.total else f"{len(self.pictures)} of "
        return f"{shown}{self.total} pictures, {self.pending} prompts pending, {self.failed} failed"


def gallery(frame: pd.DataFrame, client: Client | None = None, *, limit: int = 60) -> Gallery:
    """Return the pictures of tunes, to be shown in a notebook.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `submit` or `wait`.
    client : Client, optional
        Default as in `submit`.
    limit : int
        Pictures to fetch at most, the oldest prompts first.

    Raises
    ------
    ApiError, NotSentError
        The prompts could not be had. A picture that cannot be fetched is shown as its address.

    Examples
    --------
    >>> import astria_nb as anb
    >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> with anb.Sandbox(deterministic=True) as sandbox:
    ...     client = sandbox.client()
    ...     anb.gallery(anb.submit(tune, client), client)
    Gallery(0 pictures, 8 prompts pending, 0 failed)
    """
    client = client_or_default(client)
    found = prompts(frame, client)
    done = made(found)
    states = found["status"]
    return Gallery(
        fetched(done[:limit], client),
        len(done),
        int((states == "pending").sum()),
        int((states == "failed").sum()),
    )


def made(found: pd.DataFrame) -> list[Picture]:
    """Return the pictures of prompts, not fetched yet, in their order."""
    return [
        Picture(int(prompt["id"]), str(prompt["text"]), str(url))
        for prompt in found.to_dict("records")
        if prompt["status"] == "done"
        for url in prompt["images"]
    ]


def fetched(wanted: Sequence[Picture], client: Client) -> tuple[Picture, ...]:
    """Return pictures with their thumbnails; without, where one cannot be had."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        thumbnails = pool.map(lambda each: _thumbnail(client, each.url), wanted)
        return tuple(replace(each, thumbnail=found) for each, found in zip(wanted, thumbnails, strict=True))


def grid_html(pictures: Sequence[Picture]) -> Markup:
    """Return pictures with the text of their prompts under them, side by side."""
    return Markup("<div>{}</div>").format(Markup().join(_figure(each) for each in pictures))


def _thumbnail(client: Client, url: str) -> bytes | None:
    try:
        return thumbnail(client.picture(url), _SIDE)
    except (AstriaError, OSError):
        return None


def _figure(picture: Picture) -> Markup:
    shown = (
        picture_html(picture.thumbnail, picture.text)
        if picture.thumbnail
        else Markup("{}").format(picture.url)
    )
    return Markup(
        '<div style="{}"><a href="{}" target="_blank" rel="noopener noreferrer">{}</a>'
        '<div style="font-size:0.85em">{}</div></div>'
    ).format(_STYLE, _safe(picture.url), shown, picture.text)


def _safe(url: str) -> str:
    """Return an address that a click may open: a script's would run in the notebook."""
    return url if url.startswith(("https://", "http://")) else "#"
