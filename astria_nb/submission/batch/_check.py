"""Before anything is sent: every row is checked, and what is on record and what it costs is looked up."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from astria_nb.client import Client
from astria_nb.client.deadline import Deadline
from astria_nb.errors import NotFoundError, Problem, TuneError
from astria_nb.log import RELEASED, Precedents
from astria_nb.submission._address_remarks import remarks_on
from astria_nb.submission._exactly_once import ExactlyOnce
from astria_nb.submission._options import SubmitOptions
from astria_nb.tune import MC_PER_DOLLAR, Pack, Request, Tune, check_pack, choose, dollars, estimate, opened
from astria_nb.utils.progress import ReportProgress
from astria_nb.utils.warn import warn

_REPORT_SECONDS = 0.1
_MOST_REQUESTS = 20_000  # that are kept until they are sent
_CHUNK = 1024  # requests whose precedents are read at once, or images in them


@dataclass(slots=True)
class BatchCheck:
    """What is known of the rows of a batch before anything is sent.

    Attributes
    ----------
    problems : list of (int, Problem)
        Everything that is wrong, with the position of its row.
    packs : dict of (int or str) to (Pack or TuneError)
        By what a tune says: an id or a slug. An error for one that does not exist.
    requests : dict of int to Request
        By the row's position; only of tunes without files, since those of thousands of files take memory.
    precedents : dict of int to Precedents
        What the log has that concerns a row, by the row's position; only of rows without problems.
    prices : dict of int to (int or None)
        Estimated price in millicents of each row that is sent; None if its pack states none.
    is_most : bool
        Whether a price is an upper bound.
    remarks : dict of int to tuple of str
        On the addresses and captions of rows, by the row's position.
    """

    problems: list[tuple[int, Problem]] = field(default_factory=list)
    packs: dict[int | str, Pack | TuneError] = field(default_factory=dict)
    requests: dict[int, Request] = field(default_factory=dict)
    precedents: dict[int, Precedents] = field(default_factory=dict)
    prices: dict[int, int | None] = field(default_factory=dict)
    is_most: bool = False
    remarks: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def pack_of(self, tune: Tune) -> Pack:
        """Return the pack of a tune that was checked."""
        pack = self.packs[tune.pack]
        assert isinstance(pack, Pack)
        return pack

    @property
    def total_mc(self) -> int:
        """The estimated price of all rows that are sent, in millicents."""
        return sum(price or 0 for price in self.prices.values())

    @property
    def price(self) -> str:
        """The estimated price of all rows that are sent, in words; empty if no pack states one."""
        if self.prices and all(price is None for price in self.prices.values()):
            return ""
        return f"{'at most' if self.is_most else 'about'} {dollars(self.total_mc)}"


def check_rows(tunes: Sequence[Tune | None], options: SubmitOptions, report: ReportProgress) -> BatchCheck:
    """Check the rows against their files and packs, and read what the log has of them.

    Parameters
    ----------
    tunes : sequence of (Tune or None)
        None for a row that is wrong already.
    options : SubmitOptions
    report : callable
        Called with a fraction from 0 to 1 and a text.
    """
    checked = BatchCheck()
    requests: dict[int, Request] = {}
    reported, images = 0.0, 0
    for row, tune in enumerate(tunes):
        if tune is None:
            continue
        if time.monotonic() - reported >= _REPORT_SECONDS:
            report(row / len(tunes), f"checking row {row + 1:,} of {len(tunes):,}")
            reported = time.monotonic()
        try:
            # Opened for a moment: the images of thousands of rows take memory. Threads read files no faster.
            open_tune = opened(tune)
            requests[row] = _request(open_tune, options, checked)
            if remarks := remarks_on(vars(open_tune), options.client):
                checked.remarks[row] = tuple(map(str, remarks))
        except TuneError as error:
            checked.problems += [(row, problem) for problem in error.problems]
        images += len(tune.images)
        if len(requests) == _CHUNK or images >= _CHUNK:
            images = 0
            _look_up(requests, tunes, options, checked)
    _look_up(requests, tunes, options, checked)
    return checked


def _request(tune: Tune, options: SubmitOptions, checked: BatchCheck) -> Request:
    """Return the request of a tune that fits its pack and whose files can be sent."""
    pack = _pack(tune.pack, options.client, checked)
    one = ExactlyOnce(tune, options, Deadline(options.timeout))
    if problems := check_pack(pack, tune.name, tune).problems:
        raise TuneError(*problems)
    if not tune.images:
        return one.request(pack, choose(tune, options.encoding), ())
    with one.encode() as body:
        return one.request(pack, body.encoding, body.images)


def _pack(pack: int | str, client: Client, checked: BatchCheck) -> Pack:
    if pack not in checked.packs:  # each is asked for once
        try:
            checked.packs[pack] = client.pack(pack)
        except NotFoundError as error:
            checked.packs[pack] = TuneError(*error.problems)
    known = checked.packs[pack]
    if isinstance(known, TuneError):
        raise TuneError(*known.problems)
    return known


def _look_up(
    requests: dict[int, Request], tunes: Sequence[Tune | None], options: SubmitOptions, checked: BatchCheck
) -> None:
    """Read what the log has of requests, and forget most of them."""
    precedents = options.log.precedents_of([*requests.values()])
    checked.precedents.update(zip(requests, precedents, strict=True))
    for row, request in requests.items():
        if not request.images and len(checked.requests) < _MOST_REQUESTS:
            checked.requests[row] = request
        tune, claimant = tunes[row], checked.precedents[row].claimant
        if tune is not None and (claimant is None or claimant.state in RELEASED):
            estimated = estimate(tune, checked.pack_of(tune))
            checked.prices[row] = None if estimated is None else estimated.price_mc
            checked.is_most = checked.is_most or (estimated is not None and estimated.is_most)
    requests.clear()


def problem_with_total(checked: BatchCheck, max_cost: float | None) -> Problem | None:
    """Return the problem with a batch that may cost at most that many US dollars, or None."""
    if max_cost is None:
        return None
    if None in checked.prices.values():
        return Problem("max_cost", "cannot be applied: a pack states no price", "leave it out")
    if checked.total_mc > max_cost * MC_PER_DOLLAR:
        what = f"is ${max_cost:.2f}, and this batch costs {checked.price}"
        return Problem("max_cost", what, "raise it, or leave rows out; nothing was sent")
    return None


def warn_before(
    checked: BatchCheck, tunes: Sequence[Tune | None], options: SubmitOptions, *, announces: bool
) -> None:
    """Warn once of what concerns rows that are about to be sent: addresses, balance, equal requests.

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
    if balance is not None and checked.total_mc > round(balance * MC_PER_DOLLAR) and not checked.is_most:
        what = f"is ${balance:.2f}, and this batch costs {checked.price}"
        hint = "add credit to the account, or the service may refuse some rows after their upload"
        warn(str(Problem("balance", what, hint)))
    repeated = sum(checked.precedents[row].has_equal for row in checked.prices)
    if repeated and announces:
        which = "1 of these requests was" if repeated == 1 else f"{repeated:,} of these requests were"
        warn(
            f"{which} sent before under another title, and will be sent again. To get the rows of the "
            "earlier tunes, pass once=True",
            is_paid=True,
        )
