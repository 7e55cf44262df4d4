"""What a run is thought to cost, before it is paid for."""

from __future__ import annotations

import math
from dataclasses import dataclass

from astria_nb.errors import Problem
from astria_nb.tune.pack import MC_PER_DOLLAR, Pack, dollars
from astria_nb.tune.tune import Tune

# Attributes of prompts of which it is known what they do to the price.
_REASONED = frozenset({"callback", "num_images", "aspect_ratio", "seed"})


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run is thought to cost.

    Attributes
    ----------
    price_mc : int
        Millicents; 100,000 are 1 US dollar.
    is_most : bool
        Whether it may cost less.

    Examples
    --------
    >>> str(Estimate(331_000)), str(Estimate(331_000, is_most=True))
    ('about $3.31', 'at most $3.31')
    """

    price_mc: int
    is_most: bool = False

    def __str__(self) -> str:
        return f"{'at most' if self.is_most else 'about'} {dollars(self.price_mc)}"


def estimate(tune: Tune, pack: Pack) -> Estimate | None:
    """Return what a tune is estimated to cost; None where the pack does not tell.

    A pack tells the price of training with all pictures of a class (astria-api, section 3). A run of
    existing tunes trains none, one of chosen prompts draws less, and ``num_images`` multiplies the pictures
    but not the training. What part of the price each is, nobody says, so the estimate is the most that
    such a run can cost. Existing tunes count as the class that is given, or else as the dearest.

    Examples
    --------
    >>> pack = Pack.from_json({"id": 260, "costs": {"man": {"cost": 331, "num_images": 28}}})
    >>> new = Tune(pack=260, title="Me", name="man", image_urls=["https://example.com/1.jpg"])
    >>> str(estimate(new, pack))
    'about $3.31'
    >>> str(estimate(Tune(pack=260, title="Us", tune_ids=[1504944, 1504945]), pack))
    'at most $6.62'
    """
    names = [tune.name] if tune.name else [each.name for each in pack.classes] if tune.tune_ids else []
    prices = [price for name in names if (price := pack.price_mc(name)) is not None]
    if not prices or len(prices) < len(names):
        return None
    attributes = tune.prompt_attributes
    pictures = _whole(attributes.get("num_images", 1))
    differs = bool(tune.tune_ids or tune.prompt_ids) or "num_images" in attributes
    is_reasoned = pictures is not None and attributes.keys() <= _REASONED
    most = max(prices) * max(1, pictures or 1) * max(1, len(tune.tune_ids))
    return Estimate(most, is_most=differs and is_reasoned)


def _whole(value: object) -> int | None:
    """Return how many: text is sent as it is, and the service reads it as a number."""
    try:
        return math.ceil(float(str(value)))
    except (OverflowError, ValueError):  # no number, or none that is one
        return None


def problem_with_cost(estimated: Estimate | None, max_cost: float) -> Problem | None:
    """Return what is wrong with a run for those who will pay that many US dollars at most, or None."""
    if estimated is None:
        return Problem("max_cost", "cannot be kept: the pack tells no price", "leave it out")
    if estimated.price_mc > max_cost * MC_PER_DOLLAR:
        what = f"is ${max_cost:.2f}, and this run costs {estimated}"
        return Problem("max_cost", what, "raise it, or choose another class or pack")
    return None
