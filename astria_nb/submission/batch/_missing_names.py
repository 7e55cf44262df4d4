"""Rows without what names them in a table whose other rows have it: a file's reader may have dropped it."""

from __future__ import annotations

from astria_nb.errors import Problem
from astria_nb.submission._options import SubmitOptions
from astria_nb.submission.batch._check import BatchCheck
from astria_nb.submission.batch._former_titles import request_for_title
from astria_nb.submission.batch._listing import Listing
from astria_nb.submission.batch._table import Table
from astria_nb.utils.progress import ReportProgress


def problems_with_missing_names(
    table: Table, checked: BatchCheck, options: SubmitOptions, report: ReportProgress
) -> list[tuple[int, Problem]]:
    """Return what is wrong with rows that were not sent before, and lack the key or title that others have.

    Such a row would be given a title from its values, and be paid for a second time: pandas reads NA, None
    and null in a file as missing.

    Parameters
    ----------
    table : Table
    checked : BatchCheck
        With the prices of the rows that would be sent.
    options : SubmitOptions
    report : callable
        Called with a fraction from 0 to 1 and a text while the account is read.
    """
    unsent = {
        row: tune for row in table.unnamed if row in checked.prices and (tune := table.tunes[row]) is not None
    }
    if not unsent:
        return []
    listing = Listing(options.client, len(unsent), report)
    return [
        (row, _problem(table.unnamed[row]))
        for row, tune in unsent.items()
        if listing.look(options.client, request_for_title(tune, options)).tune is None
    ]


def _problem(column: str) -> Problem:
    what = "is missing, and other rows have one"
    hint = (
        f"give it one; if the file says NA, None or null there, read it with dtype={{{column!r}: str}}, "
        "keep_default_na=False"
    )
    return Problem(column, what, hint)
