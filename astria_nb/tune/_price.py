"""The expected cost of a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from astria_nb.errors import Problem
from astria_nb.tune._pack import Pack, dollars, in_mc
from astria_nb.tune._tune import Tune

# Prompt attributes whose effect on the price is known.
_REASONED = frozenset({"callback", "num_images", "aspect_ratio", "seed"})


@dataclass(frozen=True, slots=True)
class Estimate:
    """The expected cost of a run.

    Attributes
    ----------
    price_mc : int
        Millicents; 100,000 are 1 US dollar.
    is_most : bool
        Whether this is an upper bound.

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
    """Return the estimated price of a tune, or None if the pack states no price.

    A pack states the price of training together with all pictures of a class (astria-api, section 3). A run
    on existing tunes does not train, one of selected prompts makes fewer pictures, and ``num_images``
    multiplies the pictures but not the training. How the price is divided is not documented, so for such
    runs the estimate is an upper bound. Existing tunes are priced as `tune.name`, or else as the most
    expensive class.

    Parameters
    ----------
    tune : Tune
    pack : Pack

    Returns
    -------
    Estimate or None

    Examples
    --------
    >>> pack = Pack.from_json({"id": 260, "costs": {"man": {"cost": 331, "num_images": 28}}})
    >>> new = Tune(pack=260, title="Me", name="man", image_urls=["https://example.com/1.jpg"])
    >>> str(estimate(new, pack))
    'about $3.31'
    >>> str(estimate(Tune(pack=260, title="Us", tune_ids=[1504944, 1504945]), pack))
    'at most $6.62'
    """
    names = (
        [tune.name]
        if tune.name
        else [pack_class.name for pack_class in pack.classes]
        if tune.tune_ids
        else []
    )
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
    """Return a number of pictures, or None if it is not one; text is accepted, as the service reads it."""
    try:
        return math.ceil(float(str(value)))
    except (OverflowError, ValueError):  # not a number, or infinite
        return None


def balance_text(balance: float) -> str:
    """Return a balance in US dollars, rounded down to cents: never more than can be spent.

    Examples
    --------
    >>> balance_text(1234.5), balance_text(1.97999), balance_text(-0.5)
    ('$1,234.50', '$1.97', '-$0.50')
    """
    cents = math.floor(in_mc(balance) / 1000)
    return f"{'-' if cents < 0 else ''}${abs(cents) / 100:,.2f}"


def problem_with_balance(
    runs: Sequence[tuple[Tune, Estimate | None]], balance: float | None, *, is_sandbox: bool
) -> Problem | None:
    """Return why runs may be refused with a balance in US dollars; None if nothing suggests it.

    It is not documented whether the service charges a card automatically, so the runs can still be tried.

    Parameters
    ----------
    runs : sequence of (Tune, Estimate or None)
        The runs that are to be paid for together. A mock run is free (astria-api, section 13), and runs
        without a certain price are left out.
    balance : float or None
        US dollars; None if it is unknown.
    is_sandbox : bool
    """
    prices_mc = [
        estimated.price_mc
        for tune, estimated in runs
        if tune.branch != "fast" and estimated is not None and not estimated.is_most
    ]
    if balance is None or not prices_mc or sum(prices_mc) <= in_mc(balance):
        return None
    which = "this run" if len(runs) == 1 else f"these {len(runs)} runs"
    if len(prices_mc) < len(runs):
        which = f"{len(prices_mc)} of {which}"
    costs = "costs" if len(prices_mc) == 1 else "cost"
    what = f"is {balance_text(balance)}, and {which} {costs} {Estimate(sum(prices_mc))}"
    thing = "it" if len(runs) == 1 else "some of them"
    hint = f"add credit to the account, or the service may refuse {thing} after the upload"
    if is_sandbox:
        thing = "the run" if len(runs) == 1 else thing
        hint = f"start the sandbox with a larger balance_mc, or it may refuse {thing} after the upload"
    return Problem("balance", what, hint)


def problem_with_cost(estimated: Estimate | None, max_cost: float) -> Problem | None:
    """Return the problem with a run that costs more than a limit in US dollars, or None."""
    if estimated is None:
        return Problem("max_cost", "cannot be applied: the pack states no price", "leave it out")
    if estimated.price_mc > (limit_mc := in_mc(max_cost)):
        about = "at most" if estimated.is_most else "about"
        price = dollars(estimated.price_mc, exact=True)
        what = f"is {dollars(limit_mc, exact=True)}, and this run costs {about} {price}"
        return Problem("max_cost", what, "raise it, or choose another class or pack")
    return None


def problem_with_rise(estimated: Estimate | None, shown: Estimate | None) -> Problem | None:
    """Return the problem with a run that costs more than the user has seen, or None, also if unknown."""
    if estimated is None or shown is None or estimated.price_mc <= shown.price_mc:
        return None
    now, before = (dollars(price.price_mc, exact=True) for price in (estimated, shown))
    what = f"costs {now} now, and cost {before} when its price was shown"
    return Problem("pack", what, "submit it again to pay this price")
