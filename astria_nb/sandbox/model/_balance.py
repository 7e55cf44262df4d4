"""The account's balance, in millicents (100,000 are one US dollar)."""

from astria_nb.sandbox._errors import Refusal
from astria_nb.sandbox._options import Options
from astria_nb.sandbox.model._records import TuneRecord

EXTENSION_MC = 50_000
"""The price of keeping a tune for another month (astria-api, section 13)."""


class Balance:
    """Charges for tunes, prompts and extensions, and refunds trainings when they fail.

    Parameters
    ----------
    options : Options
        Set the initial balance, and how a request that exceeds the balance is refused.
    """

    def __init__(self, options: Options) -> None:
        self._start_mc = options.balance_mc
        self._policy = options.empty_balance
        self.spent_mc = 0
        self._failing: dict[int, TuneRecord] = {}
        self._extended: dict[int, TuneRecord] = {}

    def remaining(self, now: int) -> int:
        """Return the balance at a time."""
        refunds = sum(tune.cost_mc for tune in self._failing.values() if tune.has_failed(now))
        months = sum(tune.months_kept(now) for tune in self._extended.values())
        return self._start_mc - self.spent_mc + refunds - months * EXTENSION_MC

    def check(self, cost_mc: int, now: int) -> None:
        """Refuse a request that the account cannot pay (422 or 402)."""
        if self._policy != "ignored" and cost_mc > self.remaining(now):
            raise Refusal(int(self._policy), {"base": ["not enough balance"]})

    def charge(self, cost_mc: int) -> None:
        """Deduct a cost."""
        self.spent_mc += cost_mc

    def expect_refund(self, tune: TuneRecord) -> None:
        """Refund a tune as soon as it has failed."""
        self._failing[tune.id] = tune

    def expect_extensions(self, tune: TuneRecord) -> None:
        """Charge for each month that a tune is kept."""
        if tune.auto_extend or tune.kept_until:
            self._extended[tune.id] = tune

    def forget(self, tune: TuneRecord, now: int) -> None:
        """Settle a tune that is deleted: its refund is final if it has failed, and void otherwise."""
        if self._failing.pop(tune.id, None) and tune.has_failed(now):
            self.spent_mc -= tune.cost_mc
        if extended := self._extended.pop(tune.id, None):
            self.spent_mc += extended.months_kept(now) * EXTENSION_MC
