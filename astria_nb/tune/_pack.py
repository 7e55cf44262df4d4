"""A pack: the recipe and the template prompts for a tune."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from astria_nb.errors import Problem, printable
from astria_nb.utils.arguments import parse_id, parse_number, parse_whole
from astria_nb.utils.formatting import short

MC_PER_DOLLAR = 100_000


@dataclass(frozen=True, slots=True)
class PackClass:
    """A subject class of a pack, with the pictures and the price of a run.

    Attributes
    ----------
    name : str
        ``man``, ``woman``, ``cat``, …
    price_mc : int or None
        Estimate for training and all pictures, in millicents (100,000 are 1 US dollar); None if not stated.
    num_images : int or None
        Number of pictures of a run; None if not stated.
    """

    name: str
    price_mc: int | None = None
    num_images: int | None = None

    @property
    def summary(self) -> str:
        """The class in one line: ``woman · 35 pictures · $3.60``."""
        pictures = f"{self.num_images} pictures" if self.num_images else None
        price = dollars(self.price_mc) if self.price_mc is not None else None
        return " · ".join(part for part in (printable(self.name), pictures, price) if part)


@dataclass(frozen=True, slots=True)
class PackPrompt:
    """A template prompt of a pack.

    Attributes
    ----------
    id : int
        The value for ``prompt_ids``.
    name : str
        The class.
    text : str
        Empty if the service does not return it.
    image_url : str or None
        An example picture.
    """

    id: int
    name: str
    text: str = ""
    image_url: str | None = None


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack, as the API returns it. The API may omit everything but ``id``.

    Attributes
    ----------
    id : int
    slug, title : str
        The slug is empty if it is missing.
    cover_url : str or None
    classes : tuple of PackClass
        In the service's order; empty if the API returns none.
    prompts : tuple of PackPrompt
        Empty for a pack from a list, which has no prompts.

    Examples
    --------
    >>> pack = Pack.from_json({"id": 260, "costs": {"man": {"cost": 331, "num_images": 28}}})
    >>> [pack_class.summary for pack_class in pack.classes]
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
        """Read a pack in any of the formats that the API has used (astria-api, section 3)."""
        number = parse_id(data["id"])
        if number is None:
            raise ValueError("the pack has no id")
        costs, cost_mc = _mapping(data, "costs"), _mapping(data, "cost_mc_hash")
        prompts = _mapping(data, "prompts_per_class")
        names = dict.fromkeys([*costs, *cost_mc, *prompts])
        return cls(
            id=number,
            slug=str(data.get("slug") or ""),
            title=printable(str(data.get("title") or data.get("slug") or f"Pack {number}")),
            cover_url=data.get("cover_url") or None,
            classes=tuple(_pack_class(name, costs.get(name), cost_mc.get(name)) for name in names),
            prompts=tuple(prompt for name, rows in prompts.items() for prompt in _prompts(name, rows)),
        )

    def problem_with(self, name: str | None) -> Problem | None:
        """Return the problem if the pack does not have a class, else None."""
        names = [pack_class.name for pack_class in self.classes]
        if name is None or not names or name in names:
            return None
        return Problem(
            "name", f"{short(name)} is not a class of pack {self.id}", f"choose one of {', '.join(names)}"
        )

    def price_mc(self, name: str | None) -> int | None:
        """Return the estimated price of a class in millicents, or None if it is not stated."""
        prices = [pack_class.price_mc for pack_class in self.classes if pack_class.name == name]
        return max((price for price in prices if price is not None), default=None)


def dollars(price_mc: int, *, exact: bool = False) -> str:
    """Return a price as ``$3.31``; with fractions of cents if it is to be exact.

    Examples
    --------
    >>> dollars(331_004), dollars(331_004, exact=True), dollars(331_000, exact=True)
    ('$3.31', '$3.31004', '$3.31')
    """
    digits = 5 if exact and price_mc % 1000 else 2
    return f"${price_mc / MC_PER_DOLLAR:.{digits}f}"


def in_mc(amount: float) -> int:
    """Return US dollars as millicents: $0.29 is 29,000, where a product of floats is a little less.

    Examples
    --------
    >>> in_mc(0.29), 0.29 * MC_PER_DOLLAR
    (29000, 28999.999999999996)
    """
    return round(amount * MC_PER_DOLLAR)


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}


def _pack_class(name: str, costs: object, cost_mc: object) -> PackClass:
    # `cost` is cents (2025), `cost_mc` and `cost_mc_hash` are millicents (2026 and 2024).
    details = costs if isinstance(costs, Mapping) else {}
    price, cents = parse_number(details.get("cost_mc")), parse_number(details.get("cost"))
    if price is None:
        price = parse_number(cost_mc) if cents is None else cents * 1000
    price_mc = None if price is None or price == math.inf else round(price)
    return PackClass(name, price_mc, num_images=parse_whole(details.get("num_images")))


def _prompts(name: str, rows: object) -> Iterator[PackPrompt]:
    for row in rows if isinstance(rows, list) else ():
        number = parse_id(row.get("id")) if isinstance(row, Mapping) else None
        if number is None:
            continue
        images = row.get("images")
        urls = [url for url in images if isinstance(url, str)] if isinstance(images, list) else []
        yield PackPrompt(number, name, str(row.get("text") or ""), urls[0] if urls else None)
