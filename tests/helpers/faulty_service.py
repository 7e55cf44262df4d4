"""A sandbox behind a gateway, with faults, and the tunes it created by its ledger."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import astria_nb as anb
from astria_nb.log import Submission
from helpers.fault_cases import ROUTE, Case
from helpers.gateway import Gateway


class StruckLog(anb.ExperimentLog):
    """A log that calls a function as soon as a submission is planned."""

    strike: Callable[[], None] | None = None

    def plan(self, *planned: Any, **how: Any) -> Submission:
        submission = super().plan(*planned, **how)
        if self.strike is not None:
            self.strike()
        return submission


class Service:
    """A sandbox behind a gateway, and the log of its submissions."""

    def __init__(self, sandbox: anb.Sandbox, gate: Gateway, log: StruckLog) -> None:
        self.sandbox, self.gate, self.log = sandbox, gate, log
        self.idempotent = sandbox.options.idempotent

    def client(self) -> anb.Client:
        client = anb.Client(self.sandbox.api_key, base_url=f"https://{self.gate.netloc}")
        client._transport._api_session.verify = self.gate.certificate
        return client

    def plan(self, case: Case) -> None:
        """Apply a fault to the next tune."""
        if case.fault:
            fault = dict(case.fault)
            self.sandbox.fail(fault.pop("kind"), ROUTE, **fault)
        strike = case.strike
        self.log.strike = None if strike is None else lambda: strike(self.gate)

    def heal(self) -> None:
        """Remove all faults."""
        self.log.strike = None
        self.gate.heal()
        self.sandbox.heal()

    def submit(self, tune: anb.Tune, encoding: Any) -> Any:
        with closing(self.client()) as client:
            return anb.submit(
                tune, client, encoding=encoding, log=self.log, settle=0, idempotent=self.idempotent
            )

    def posts(self) -> int:
        """Return how many POST requests have arrived so far, in part or whole."""
        return sum(request.method == "POST" for request in self.sandbox.ledger) + self.gate.answered

    def tune_ids(self, tune: anb.Tune) -> list[int]:
        """Return the ids of the tunes of a title, by the ledger."""
        mine = (
            request
            for request in self.sandbox.ledger
            if request.params and request.params["title"] == tune.title
        )
        return [tune_id for request in mine for tune_id in request.tune_ids]

    def state(self, tune: anb.Tune) -> str:
        """Return the state of a title in the log."""
        frame = self.log.frame()
        (state,) = frame.loc[frame["title"] == tune.title, "state"]
        return str(state)


@contextmanager
def behind_gateway(folder: Path, *, idempotent: bool) -> Iterator[Service]:
    """Run a sandbox behind a gateway."""
    gate = Gateway(folder)
    sandbox = anb.Sandbox(idempotent=idempotent, allowed_hosts=(gate.netloc,))
    with sandbox, gate.before(sandbox.url):
        yield Service(sandbox, gate, StruckLog(folder / "log.sqlite"))


def a_tune(title: str, encoding: str, images: list[Path]) -> anb.Tune:
    files = encoding == "multipart"
    source: dict[str, Any] = {"images": images} if files else {"image_urls": ["https://example.com/1.jpg"]}
    return anb.Tune(pack=797, title=f"{title}, {encoding}", name="cat", prompt_ids=[797001], **source)
