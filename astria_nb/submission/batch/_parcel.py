"""A row of a batch as it travels to a worker in another process. It holds no key: a worker has its own."""

from __future__ import annotations

from dataclasses import dataclass

from astria_nb.images import Preprocessing
from astria_nb.log import Log, environment
from astria_nb.submission._options import Repeat
from astria_nb.tune import Encoding, Pack, Tune


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerTask:
    """What a worker needs to send a row.

    Attributes
    ----------
    tune : Tune
        With its callbacks, which the service has to get.
    pack : Pack
    base_url, account, key_end : str
        Of the client whose account is to pay; `account` is None if the service does not tell it.
    newest_id : int or None
        Of the tunes on the account before the batch, of which none has this title. None: the account has too
        many tunes to know, and the worker has to look.
    log : Log
        Travels as a place: a password for it is in the environment of the workers.
    session : str
        Of a process that has written to the log, by which a worker knows that it has the same one.
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
