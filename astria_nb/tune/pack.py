"""A pack: the recipe and the prompts that a tune is made with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from astria_nb.errors import Problem
from astria_nb.utils.formatting import short

MC_PER_DOLLAR = 100_000


@dataclass(frozen=True, slots=True)
class PackClass:
    """A subject class of a pack, and what a run of it makes and costs.

    Attributes
    ----------
    name : str
        ``man``, ``woman``, ``cat``, …
    price_mc : int or None
        Training and all pictures, in millicents (100,000 are 1 US dollar); an estimate.
    num_images : int or None
        Pictures that a run makes.
    """

    name: str
    price_mc: int | None = None
    num_images: int | None = None

    @property
    def summary(self) -> str:
        """The class in a line: ``woman · 35 pictures · $3.60``."""
        pictures = f"{self.num_images} pictures" if self.num_images else None
        price = dollars(self.price_mc) if self.price_mc is not None else None
        return " · ".join(part for part in (self.name, pictures, price) if part)


@dataclass(frozen=True, slots=True)
class PackPrompt:
    """A template prompt of a pack: what a tune of its class is asked to draw.

    Attributes
    ----------
    id : int
        As ``prompt_ids`` takes it.
    name : str
        The class.
    text : str
        Empty where the pack does not tell it.
    image_url : str or None
        A picture that it made.
    """

    id: int
    name: str
    text: str = ""
    image_url: str | None = None


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack as the API tells of it. Everything but ``id`` may be missing there.

    Attributes
    ----------
    id : int
    slug, title : str
    cover_url : str or None
    classes : tuple of PackClass
        In the service's order; empty when the pack does not say.
    prompts : tuple of PackPrompt
        Empty in lists, which do not tell of them.

    Examples
    --------
    >>> pack = Pack.from_json({"id": 260, "costs": {"man": {"cost": 331, "num_images": 28}}})
    >>> [each.summary for each in pack.classes]
    ['man · 28 pictures · $3.31']
    """

    id: int
    slug: str = ""
    title: str = ""
    cover_url: str | None = None
    classes: tuple[PackClass, ...] = ()
    prompts: tuple[PackPrompt, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Pack:
        """Read a pack from any of the shapes that the API has had (astria-api, section 3)."""
        costs, cost_mc = _mapping(data, "costs"), _mapping(data, "cost_mc_hash")
        prompts = _mapping(data, "prompts_per_class")
        names = dict.fromkeys([*costs, *cost_mc, *prompts])
        return cls(
            id=int(data["id"]),
            slug=str(data.get("slug") or ""),
            title=str(data.get("title") or data.get("slug") or f"Pack {data['id']}"),
            cover_url=data.get("cover_url") or None,
            classes=tuple(_pack_class(name, costs.get(name), cost_mc.get(name)) for name in names),
            prompts=tuple(each for name, rows in prompts.items() for each in _prompts(name, rows)),
        )

    def problem_with(self, name: str | None) -> Problem | None:
        """Return what is wrong with a class for this pack, or None."""
        names = [each.name for each in self.classes]
        if name is None or not names or name in names:
            return None
        return Problem(
            "name", f"{short(name)} is not a class of pack {self.id}", f"choose one of {', '.join(names)}"
        )

    def price_mc(self, name: str | None) -> int | None:
        """Return what a run of a class is estimated to cost, in millicents; None where that is not told."""
        prices = [each.price_mc for each in self.classes if each.name == name]
        return max((each for each in prices if each is not None), default=None)


def dollars(price_mc: int) -> str:
    """Return a price as ``$3.31``."""
    return f"${price_mc / MC_PER_DOLLAR:.2f}"


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}


def _pack_class(name: str, costs: object, cost_mc: object) -> PackClass:
    # `cost` is cents (2025), `cost_mc` and `cost_mc_hash` are millicents (2026 and 2024).
    said = costs if isinstance(costs, Mapping) else {}
    price, pictures = said.get("cost_mc"), said.get("num_images")
    if price is None and isinstance(said.get("cost"), int | float):
        price = said["cost"] * 1000
    if price is None:
        price = cost_mc
    return PackClass(
        name,
        price_mc=_whole(price),
        num_images=_whole(pictures),
    )


def _prompts(name: str, rows: object) -> Iterator[PackPrompt]:
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, Mapping) or not isinstance(row.get("id"), int):
            continue
        images = row.get("images")
        urls = [url for url in images if isinstance(url, str)] if isinstance(images, list) else []
        yield PackPrompt(row["id"], name, str(row.get("text") or ""), urls[0] if urls else None)


def _whole(number: object) -> int | None:
    try:
        return int(number) if isinstance(number, int | float) else None
    except (OverflowError, ValueError):  # infinite, or none
        return None
