"""A row of a batch that is sent to a worker in another process. It holds no key: a worker has its own."""

from __future__ import annotations

from dataclasses import dataclass

from astria_nb.images import Preprocessing
from astria_nb.log import Log, environment
from astria_nb.submission._options import Repeat
from astria_nb.tune import Encoding, Pack, Tune


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerTask:
    """Everything that a worker needs to send a row.

    Attributes
    ----------
    tune : Tune
        Includes its callbacks, which the service needs.
    pack : Pack
    base_url, account, key_end : str
        Those of the client whose account pays; `account` is None if the service does not report it.
    newest_id : int or None
        The newest id on the account before the batch; no tune up to it has this title. None: the account has
        too many tunes to know, and the worker has to look it up.
    log : Log
        Sent as its path or address; a password for it is in the environment of the workers.
    session : str
        A process that has written to the log; a worker uses it to check that it has the same log.
    encoding : {"multipart", "form", "json"} or None
    preprocessing : Preprocessing
    timeout : float
    repeat : {"announce", "return", "ask", "replay", "send"}
    idempotent : bool
        These five as in `SubmitOptions`.
    """

    tune: Tune
    pack: Pack
    base_url: str
    account: str | None
    key_end: str
    newest_id: int | None
    log: Log
    session: str
    encoding: Encoding | None
    preprocessing: Preprocessing
    timeout: float
    repeat: Repeat
    idempotent: bool


def package_version() -> str | None:
    """Return the version of this package in this process."""
    return environment.session().packages.get("astria_nb")
