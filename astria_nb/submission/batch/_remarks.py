"""Problems and warnings about a whole batch: its price before it is sent, and notes for the user."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from astria_nb.errors import Problem
from astria_nb.submission import _notices as notices
from astria_nb.submission._options import SubmitOptions
from astria_nb.submission._repeats import why_no_pictures_in
from astria_nb.submission.batch._check import BatchCheck
from astria_nb.submission.batch._row_outcome import RowOutcome
from astria_nb.tune import Tune, dollars, in_mc
from astria_nb.utils.warn import warn


def problem_with_total(checked: BatchCheck, max_cost: float | None) -> Problem | None:
    """Return the problem with a batch that costs more than a limit in US dollars, or None."""
    if max_cost is None:
        return None
    if None in checked.prices.values():
        return Problem("max_cost", "cannot be applied: a pack states no price", "leave it out")
    if checked.total_mc > (limit_mc := in_mc(max_cost)):
        what = f"is {dollars(limit_mc, exact=True)}, and this batch costs {checked.exact_price}"
        return Problem("max_cost", what, "raise it, or leave rows out; nothing was sent")
    return None


def warn_before(
    checked: BatchCheck, tunes: Sequence[Tune | None], options: SubmitOptions, *, announces: bool
) -> None:
    """Warn once about rows that will be sent: their addresses, the balance, equal requests.

    Parameters
    ----------
    checked : BatchCheck
    tunes : sequence of (Tune or None)
    options : SubmitOptions
    announces : bool
        Whether to warn of requests that were sent before under another title.
    """
    remarks = Counter(remark for row in checked.prices for remark in checked.remarks.get(row, ()))
    for remark, count in remarks.items():
        warn(remark if count == 1 else f"{remark} (in {count:,} rows)")
    has_images = any(tune is not None and tune.images for tune in tunes)
    balance = options.client.balance() if has_images and checked.total_mc else None
    if balance is not None and checked.total_mc > in_mc(balance) and not checked.is_most:
        what = f"is ${balance:.2f}, and this batch costs {checked.price}"
        hint = "add credit to the account, or the service may refuse some rows after their upload"
        warn(str(Problem("balance", what, hint)))
    repeated = checked.repeated
    if repeated and announces:
        which = "1 of these requests was" if repeated == 1 else f"{repeated:,} of these requests were"
        warn(
            f"{which} sent before under another title, and will be sent again. To get the rows of the "
            "earlier tunes, pass once=True",
            is_paid=True,
        )


def warn_after(outcomes: Sequence[RowOutcome]) -> None:
    """Warn about rows that were not sent: the account had their tunes, or these have no pictures now."""
    if found := [outcome.found for outcome in outcomes if outcome.found]:
        warn(notices.titles_are_taken(found), is_paid=True)
    if older := [outcome.older for outcome in outcomes if outcome.older]:
        warn(notices.are_older(older), is_paid=True)
    losses = Counter(why_no_pictures_in(outcome.record or {}) for outcome in outcomes if outcome.has_tune)
    for loss, count in losses.items():
        if loss:
            which = "1 row belongs to" if count == 1 else f"{count:,} rows each belong to"
            hint = "Give another key or title to train again"
            warn(f"{which} a tune {loss}: nothing was sent. {hint}", is_paid=True)
