"""A remark on the account's balance before photos are sent: the service refuses only after the upload."""

from __future__ import annotations

from astria_nb.client import Client
from astria_nb.defaults import is_sandbox
from astria_nb.tune import Body, Estimate, Tune, problem_with_balance
from astria_nb.utils.warn import warn


def warn_of_balance(tune: Tune, body: Body, estimated: Estimate | None, client: Client) -> None:
    """Warn if the balance is too low for a tune with files; if warnings are errors, nothing is sent.

    Without files, the service's own answer is as fast.
    """
    if not body.images or estimated is None:
        return
    problem = problem_with_balance([(tune, estimated)], client.balance(), is_sandbox=is_sandbox(client))
    if problem is not None:
        warn(str(problem))
