"""The tunes on the account, listed once for all tunes of a batch."""

from __future__ import annotations

from astria_nb.client import Client, Json
from astria_nb.submission import _account as account
from astria_nb.submission._titles import standard_title
from astria_nb.tune import Request
from astria_nb.utils.progress import ReportProgress


class Listing:
    """The tunes of an account by their titles; used as `SubmitOptions.look`.

    An account with more pages than there are titles is not listed completely: a title that is not among its
    newest tunes is then searched for individually.

    Parameters
    ----------
    client : Client
    titles : int
        The number of titles to look up.
    report : callable
        Called with a fraction from 0 to 1 and a text.

    Attributes
    ----------
    newest_id : int
        0 if there are no tunes.
    is_complete : bool
        Whether all of the account's tunes were listed.
    """

    def __init__(self, client: Client, titles: int, report: ReportProgress) -> None:
        self.newest_id, self.is_complete = 0, False
        self._by_title: dict[str, list[Json]] = {}
        most, count = max(2, titles), 0  # with one page, only a small account is known to its end
        for number, (page, self.is_complete) in enumerate(account.newest_pages(client, most), 1):
            for tune in page:
                self.newest_id = max(self.newest_id, tune["id"])
                if (title := tune.get("title")) is not None:
                    self._by_title.setdefault(standard_title(str(title)), []).append(tune)
            count += len(page)
            if not self.is_complete:
                report(number / most, f"reading the account: {count:,} tunes")

    def look(self, client: Client, request: Request) -> account.AccountState:
        """Return the state of the account for a request; see `astria_nb.submission._account.look`."""
        if request.title is None or request.parameters.get("tune_ids"):
            return account.look(client, request)
        same_title = self._by_title.get(standard_title(request.title), [])
        if not same_title and not self.is_complete:
            return account.look(client, request)
        return account.AccountState(self.newest_id, account.own_tune(same_title, request))

    def has(self, title: str) -> bool:
        """Return whether a tune of this title is among those that were listed."""
        return standard_title(title) in self._by_title
