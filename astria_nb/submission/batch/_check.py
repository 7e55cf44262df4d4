"""The check before anything is sent: each row is checked, and its records and its price are looked up."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from astria_nb.client import Client
from astria_nb.client.deadline import Deadline
from astria_nb.errors import NotFoundError, Problem, TuneError
from astria_nb.log import RELEASED, Log, Precedents, problem_with_title
from astria_nb.submission._address_remarks import remarks_on
from astria_nb.submission._exactly_once import ExactlyOnce
from astria_nb.submission._options import SubmitOptions
from astria_nb.submission._repeats import conflict_with
from astria_nb.submission.batch._passing_addresses import remark_on_passing
from astria_nb.submission.batch._table import Table
from astria_nb.tune import Pack, Request, Tune, check_pack, choose, dollars, estimate, opened
from astria_nb.utils.progress import ReportProgress

_REPORT_SECONDS = 0.1
_MOST_REQUESTS = 20_000  # requests that are kept until they are sent
_CHUNK = 1024  # requests, or images in them, whose precedents are read at once


@dataclass(slots=True)
class BatchCheck:
    """Facts about the rows of a batch before anything is sent.

    Attributes
    ----------
    problems : list of (int, Problem)
        Everything that is wrong, with the position of its row.
    packs : dict of (int or str) to (Pack or TuneError)
        Packs by the id or slug in the tune. An error for a pack that does not exist.
    requests : dict of int to Request
        Requests by the row's position; only for tunes without files, since thousands of files would take
        memory.
    precedents : dict of int to Precedents
        Records in the log about a row, by the row's position; only for rows without problems.
    prices : dict of int to (int or None)
        Estimated price in millicents of each row that is sent; None if its pack states no price.
    is_most : bool
        Whether a price is an upper bound.
    remarks : dict of int to tuple of str
        Remarks on addresses and captions, by the row's position.
    repeated : int
        Rows whose request was sent before under a title that no row has.
    """

    problems: list[tuple[int, Problem]] = field(default_factory=list)
    packs: dict[int | str, Pack | TuneError] = field(default_factory=dict)
    requests: dict[int, Request] = field(default_factory=dict)
    precedents: dict[int, Precedents] = field(default_factory=dict)
    prices: dict[int, int | None] = field(default_factory=dict)
    is_most: bool = False
    remarks: dict[int, tuple[str, ...]] = field(default_factory=dict)
    repeated: int = 0

    def pack_of(self, tune: Tune) -> Pack:
        """Return the pack of a checked tune."""
        pack = self.packs[tune.pack]
        assert isinstance(pack, Pack)
        return pack

    @property
    def total_mc(self) -> int:
        """The estimated price of all rows that are sent, in millicents."""
        return sum(price or 0 for price in self.prices.values())

    @property
    def price(self) -> str:
        """The estimated price of all rows that are sent, as text; empty if no pack states one."""
        if self.prices and all(price is None for price in self.prices.values()):
            return ""
        return self._in_words(exact=False)

    @property
    def exact_price(self) -> str:
        """The same with fractions of cents, for comparison with a limit."""
        return self._in_words(exact=True)

    def _in_words(self, *, exact: bool) -> str:
        return f"{'at most' if self.is_most else 'about'} {dollars(self.total_mc, exact=exact)}"


def check_rows(table: Table, options: SubmitOptions, report: ReportProgress) -> BatchCheck:
    """Check the rows against their files and packs, and read their records in the log.

    Parameters
    ----------
    table : Table
        For rows that already have problems, pack and class are still checked if they are known.
    options : SubmitOptions
    report : callable
        Called with a fraction from 0 to 1 and a text.
    """
    checked, tunes = BatchCheck(), table.tunes
    titles = {tune.title for tune in tunes if tune is not None}
    requests: dict[int, Request] = {}
    reported, images = 0.0, 0
    for row, tune in enumerate(tunes):
        if tune is None:
            checked.problems += _problems_with_class(row, table, options, checked)
            continue
        if time.monotonic() - reported >= _REPORT_SECONDS:
            report(row / len(tunes), f"checking row {row + 1:,} of {len(tunes):,}")
            reported = time.monotonic()
        try:
            # Opened briefly: the images of thousands of rows take memory. Threads do not read files faster.
            open_tune = opened(tune)
            requests[row] = _request(open_tune, options, checked)
            remarks = remarks_on(vars(open_tune), options.client)
            if row in table.from_values and (remark := remark_on_passing(tune.image_urls)) is not None:
                remarks.append(remark)
            if remarks:
                checked.remarks[row] = tuple(map(str, remarks))
        except TuneError as error:
            checked.problems += [(row, problem) for problem in error.problems]
        images += len(tune.images)
        if len(requests) == _CHUNK or images >= _CHUNK:
            images = 0
            _look_up(requests, tunes, titles, options, checked)
    _look_up(requests, tunes, titles, options, checked)
    return checked


def _problems_with_class(
    row: int, table: Table, options: SubmitOptions, checked: BatchCheck
) -> list[tuple[int, Problem]]:
    if row not in table.classes:
        return []
    pack, name = table.classes[row]
    try:
        problem = _pack(pack, options.client, checked).problem_with(name)
    except TuneError as error:
        return [(row, problem) for problem in error.problems]
    return [] if problem is None else [(row, problem)]


def _request(tune: Tune, options: SubmitOptions, checked: BatchCheck) -> Request:
    """Return the request of a tune that fits its pack and whose files can be sent."""
    if (problem := problem_with_title(tune.title)) is not None:
        raise TuneError(problem)
    pack = _pack(tune.pack, options.client, checked)
    one = ExactlyOnce(tune, options, Deadline(options.timeout))
    if problems := check_pack(pack, tune.name, tune).problems:
        raise TuneError(*problems)
    if not tune.images:
        return one.request(pack, choose(tune, options.encoding), ())
    with one.encode() as body:
        return one.request(pack, body.encoding, body.images)


def _pack(pack: int | str, client: Client, checked: BatchCheck) -> Pack:
    if pack not in checked.packs:  # each is requested once
        try:
            checked.packs[pack] = client.pack(pack)
        except NotFoundError as error:
            checked.packs[pack] = TuneError(*error.problems)
    known = checked.packs[pack]
    if isinstance(known, TuneError):
        raise TuneError(*known.problems)
    return known


def _look_up(
    requests: dict[int, Request],
    tunes: Sequence[Tune | None],
    titles: Collection[str | None],
    options: SubmitOptions,
    checked: BatchCheck,
) -> None:
    """Read the log's records about requests, and forget most of the requests."""
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
            if checked.precedents[row].has_equal:
                checked.repeated += _has_equal_besides(titles, request, options.log)
        elif claimant is not None and claimant.title is not None:
            # The content of files is compared when they are sent.
            problem = conflict_with(claimant, request, compares_images=False)
            checked.problems += [] if problem is None else [(row, problem)]
    requests.clear()


def _has_equal_besides(titles: Collection[str | None], request: Request, log: Log) -> bool:
    """Return whether an equal request was sent under a title that is not in the batch.

    Rows that are equal on purpose may have been sent before an interrupt. Usually the latest submission
    decides.
    """
    return any(one.title not in titles for limit in (1, 20) for one in log.with_content(request, limit))
