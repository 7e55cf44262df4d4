"""What is left on the account, in millicents (100,000 are one US dollar)."""

from astria_nb.sandbox.errors import Refusal
from astria_nb.sandbox.model.records import Tune
from astria_nb.sandbox.options import Options


class Balance:
    """Charges what is made; a training that fails is paid back when it does.

    Parameters
    ----------
    options : Options
        Say what the account holds at the start, and how a request is refused that costs more.
    """

    def __init__(self, options: Options) -> None:
        self._start_mc = options.balance_mc
        self._policy = options.empty_balance
        self.spent_mc = 0
        self._failing: dict[int, Tune] = {}

    def left(self, now: int) -> int:
        """Return what is left."""
        refunds = sum(tune.cost_mc for tune in self._failing.values() if tune.has_failed(now))
        return self._start_mc - self.spent_mc + refunds

    def check(self, cost_mc: int, now: int) -> None:
        """Refuse what the account cannot pay (422 or 402)."""
        if self._policy != "ignored" and cost_mc > self.left(now):
            raise Refusal(int(self._policy), {"base": ["the account's balance is too low for this request"]})

    def charge(self, cost_mc: int) -> None:
        """Take what was spent."""
        self.spent_mc += cost_mc

    def expect_refund(self, tune: Tune) -> None:
        """Pay a tune back when it has failed."""
        self._failing[tune.id] = tune

    def forget(self, tune: Tune, now: int) -> None:
        """Settle a tune that is deleted: what failed stays paid back, what did not stays paid."""
        if self._failing.pop(tune.id, None) and tune.has_failed(now):
            self.spent_mc -= tune.cost_mc
