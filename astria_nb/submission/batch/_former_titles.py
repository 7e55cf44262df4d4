"""Rows that were sent under the title that an earlier release made for them, and keep it."""

from __future__ import annotations

from dataclasses import replace

from astria_nb.submission._options import SubmitOptions
from astria_nb.submission.batch._listing import Listing
from astria_nb.submission.batch._table import Table
from astria_nb.tune import Request, Tune, from_checked
from astria_nb.utils.progress import ReportProgress


def with_former_titles(table: Table, options: SubmitOptions, report: ReportProgress) -> Table:
    """Return a table whose rows have their former titles where the log or the account has a tune of it.

    Parameters
    ----------
    table : Table
    options : SubmitOptions
    report : callable
        Called with a fraction from 0 to 1 and a text while the account is read.
    """
    tunes = list(table.tunes)
    pairs = {
        row: (tune, from_checked({**vars(tune), "title": title}))
        for row, title in table.former_titles.items()
        if (tune := tunes[row]) is not None
    }
    unknown: dict[int, Tune] = {}
    for row, (tune, former) in pairs.items():
        if options.log.claimant(request_for_title(tune, options)) is not None:
            continue
        if options.log.claimant(request_for_title(former, options)) is not None:
            tunes[row] = former
        else:
            unknown[row] = former
    if unknown:
        listing = Listing(options.client, len(unknown), report)
        for row, former in unknown.items():
            if listing.look(options.client, request_for_title(former, options)).tune is not None:
                tunes[row] = former
    return replace(table, tunes=tuple(tunes))


def request_for_title(tune: Tune, options: SubmitOptions) -> Request:
    """Return a request that is good enough to look for the title of a tune."""
    return Request.from_tune(tune, options.client.service, "json", account=options.client.account)
