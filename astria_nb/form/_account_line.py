"""The first line of the form: the account and its balance."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from markupsafe import Markup

from astria_nb.client import Client
from astria_nb.defaults import is_sandbox
from astria_nb.errors import AstriaError
from astria_nb.form.fields import controls
from astria_nb.tune import balance_text
from astria_nb.utils import background

_REHEARSAL = (
    "no API key: a rehearsal on the built-in sandbox, nothing is charged",
    "run anb.login() and this cell again to train for real",
)


class AccountLine(controls.HTML):
    """The form's heading with its account.

    Parameters
    ----------
    client : Client
    is_rehearsal : bool
        Whether the sandbox is used because no key was found.
    on_balance : callable
        Called when the balance has arrived.

    Attributes
    ----------
    account : str
        A description of the account.
    balance : float or None
        US dollars; None if the service has not reported it.
    """

    def __init__(self, client: Client, is_rehearsal: bool, on_balance: Callable[[], None]) -> None:
        self._client, self._on_balance = client, on_balance
        self.balance: float | None = None
        if is_sandbox(client):
            self._facts = _REHEARSAL if is_rehearsal else ("sandbox", "nothing is charged")
        else:
            self._facts = "your account", urlsplit(client.base_url).netloc
        super().__init__(classes="astria-heading")
        self._show()

    @property
    def account(self) -> str:
        """Whose account it is, in words."""
        return " · ".join(self._facts)

    def refresh(self) -> None:
        """Request the balance in the background, and show it."""
        background.start(self._ask)

    def _ask(self) -> None:
        try:
            balance = self._client.balance()
        except AstriaError:
            return  # the fields say what is wrong with the service
        if balance is not None and balance != self.balance:
            self.balance = balance
            self._show()
            self._on_balance()

    def _show(self) -> None:
        noun = "practice balance" if is_sandbox(self._client) else "balance"
        facts = list(self._facts)
        if self.balance is not None:
            facts.append(f"{noun} {balance_text(self.balance).removesuffix('.00')}")
        # The dot before the first item of a line is hidden: no line begins or ends with one.
        items = Markup().join(Markup("<span><i> · </i>{}</span>").format(fact) for fact in facts)
        self.value = Markup(
            "<div><b>Train a tune</b><span class='astria-facts'><span>{}</span></span></div>"
        ).format(items)
