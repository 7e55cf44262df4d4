"""Being told by the service instead of asking it: callbacks that keep the log up to date."""

from __future__ import annotations

import atexit
import threading
import time
from types import TracebackType
from typing import Any, NoReturn, Self, TypedDict

import pandas as pd

from astria_nb import rows
from astria_nb.client.client import Client
from astria_nb.defaults import client_or_default, log_or_default
from astria_nb.errors import AstriaError, Problem, TuneError
from astria_nb.log import Log
from astria_nb.results.callbacks.lookups import Lookups
from astria_nb.results.callbacks.public_url import check_public_url
from astria_nb.results.callbacks.receiver import HOST, Receiver
from astria_nb.results.callbacks.secret import Secret
from astria_nb.results.watch.states import FINAL_STATES
from astria_nb.utils.arguments import check_number, check_port
from astria_nb.utils.formatting import short
from astria_nb.utils.progress import Progress

_LEAVE = 2.0  # seconds that `stop` waits for a look that is under way
_STEP = 1.0  # seconds between two glances at the log: another kernel may write to it


class CallbackFields(TypedDict):
    """The fields of a tune that hold addresses for callbacks."""

    callback: str
    prompts_callback: str
    prompt_attributes: dict[str, Any]


class Callbacks:
    """Takes in the service's callbacks and keeps the log up to date, without asking again and again.

    What a callback says is never believed: it is a reason to look. The tune is fetched from the service, and
    that is what is noted in the log. Only tunes that the log has are fetched, so a callback that somebody
    made up changes nothing. One that is lost is made up for by `poll`.

    Parameters
    ----------
    log : ExperimentLog, optional
        Default as in `submit`.
    client : Client, optional
        Default as in `submit`.
    public_url : str, optional
        The https address of a tunnel to this machine, for a service that is elsewhere. The sandbox needs
        none.
    port : int
        Where to listen, on this machine only; 0 takes a free one. A tunnel needs one that stays.
    secret : str, optional
        What callbacks prove themselves with, part of `url`; default a fresh one. To take in callbacks of
        tunes that an earlier kernel submitted, give both times the same one, with the same address. Keep it
        where you keep your API key, in Jupyter's environment or the system's keyring, not in a notebook.

    Raises
    ------
    AstriaError
        The service cannot reach this machine without a `public_url`, or the secret is no good one.

    Notes
    -----
    The service sends a callback once and signs nothing (astria-api, section 9). The secret is not shown, and
    the log and the rows leave it out; it stands in `url` and `fields`, in the tune that they are put into,
    and in code or a form for that tune. Whoever has it can cause no more than a look at a tune of yours.

    Examples
    --------
    >>> import astria_nb as anb
    >>> log = anb.ExperimentLog()
    >>> with anb.Sandbox(deterministic=True) as sandbox, anb.Callbacks(log, sandbox.client()) as callbacks:
    ...     urls = ["https://example.com/1.jpg"]
    ...     tune = anb.Tune(pack=43, title="told", name="cat", image_urls=urls, **callbacks.fields())
    ...     row = anb.submit(tune, sandbox.client(), log=log)
    ...     sandbox.advance(600)  # on this clock, ten minutes pass at once
    ...     row = callbacks.wait(row)
    >>> row.loc[0, "status"]
    'trained'
    """

    def __init__(
        self,
        log: Log | None = None,
        client: Client | None = None,
        *,
        public_url: str | None = None,
        port: int = 0,
        secret: str | None = None,
    ) -> None:
        try:
            self._secret = Secret(secret)
        finally:
            del secret  # a traceback can show the variables of each frame
        self._log, self._client = log_or_default(log), client_or_default(client)
        check_public_url(public_url, self._client.base_url)
        self._public_url, self._port = public_url, check_port("port", port)
        self._lock = threading.Lock()
        self._receiver: Receiver | None = None
        self._lookups = Lookups(self._log, self._client)

    @property
    def url(self) -> str:
        """The address for the service, with the secret: for a tune, not for the output of a cell.

        Raises
        ------
        AstriaError
            It does not listen yet, so there is none.
        """
        return self._secret.added_to(self._public_url or f"{self._address()}/")

    def fields(self, **prompt_attributes: str | int | float | bool) -> CallbackFields:
        """Return all three callbacks as fields of a tune: ``anb.Tune(pack=…, **callbacks.fields())``.

        Parameters
        ----------
        **prompt_attributes
            Further ones of the tune, which are in the same field as the callback of each prompt.
        """
        url = self.url
        return {
            "callback": url,
            "prompts_callback": url,
            "prompt_attributes": {**prompt_attributes, "callback": url},
        }

    def start(self) -> Self:
        """Listen; then look once at the log's tunes that are not finished, for what was missed.

        Raises
        ------
        AstriaError
            The port is taken.
        """
        with self._lock:
            if self._receiver is not None:
                return self
            self._lookups = Lookups(self._log, self._client)
            try:
                self._receiver = Receiver(self._port, self._secret, self._lookups.hear)
            except OSError as error:
                reason = error.strerror or type(error).__name__
            else:
                self._receiver.start()
                self._lookups.start()
                # Else Python's end would meet the threads in the midst of something.
                atexit.register(self.stop)
                return self
        raise AstriaError(Problem("port", f"{self._port} cannot be used ({reason})", "choose another one"))

    def stop(self) -> None:
        """Free the port and end. The log has what came until then."""
        with self._lock:
            receiver, self._receiver = self._receiver, None
            if receiver is not None:
                atexit.unregister(self.stop)
                receiver.stop()
                self._lookups.stop(_LEAVE)

    def poll(self) -> pd.DataFrame:
        """Look at every tune of the log that is not finished, which makes up for callbacks that were lost.

        Returns
        -------
        pandas.DataFrame
            As the log's `frame`, of the tunes that were looked at.

        Raises
        ------
        AstriaError
            The service refused, or was not reached; call it again.
        """
        looked_at = self._lookups.look_at_unfinished()
        frame = self._log.frame()
        return frame[frame["id"].isin(looked_at)].reset_index(drop=True)

    def wait(self, frame: pd.DataFrame, *, timeout: float | None = None, poll: float = 60.0) -> pd.DataFrame:
        """Wait until the log says that tunes are trained, and return their rows. Interrupt it at will.

        Parameters
        ----------
        frame : pandas.DataFrame
            One row or many, as `submit` returns them.
        timeout : float, optional
            Seconds to wait at most; the rows are returned as they are then.
        poll : float
            Seconds after which the service is asked all the same, for a callback may be lost.

        Returns
        -------
        pandas.DataFrame
            The same rows. A tune that failed, expired or was deleted, as its ``status`` says, ends the wait
            for its row.

        Raises
        ------
        AstriaError
            As `poll`.
        """
        if not isinstance(frame, pd.DataFrame) or not {"id", "status"} <= set(frame.columns):
            what, hint = f"{short(frame)} holds no tunes", "give the rows that submit returned"
            raise TuneError(Problem("frame", what, hint))
        timeout = float("inf") if timeout is None else check_number("timeout", timeout, "seconds")
        end = time.monotonic() + timeout
        poll = check_number("poll", poll, "seconds", allow_zero=False)
        look_at = time.monotonic() + poll
        noun = "1 tune" if len(frame) == 1 else f"{len(frame)} tunes"
        with Progress(f"Waiting to be told of {noun}", patience=0) as progress:
            while True:
                seen = self._lookups.noted
                frame = self._latest(frame)
                over = int((frame["status"].isin(FINAL_STATES) | frame["id"].isna()).sum())
                progress.update(over / len(frame) if len(frame) else 1.0, f"{over} of {noun}")
                if over == len(frame) or time.monotonic() >= end:
                    return frame
                if time.monotonic() >= look_at:
                    self.poll()
                    look_at = time.monotonic() + poll
                self._lookups.await_news(seen, min(_STEP, end - time.monotonic(), look_at - time.monotonic()))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        receiver = self._receiver
        return f"Callbacks({f'at http://{HOST}:{receiver.port}' if receiver else 'not started'})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a receiver holds a secret and a port: make a new one with Callbacks()")

    def _address(self) -> str:
        receiver = self._receiver
        if receiver is None:
            raise AstriaError(Problem("callbacks", "have no address yet", "start() them first"))
        return f"http://{HOST}:{receiver.port}"

    def _latest(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return rows as the log has them."""
        found = {at: self._record(row) for at, row in enumerate(frame.to_dict("records"))}
        told = {at: record for at, record in found.items() if record is not None}
        if told:
            latest = rows.tune_frame(list(told.values()), self._client.now()).set_axis(list(told))
            rest = frame.set_axis(range(len(frame))).drop(index=list(told))
            frame = pd.concat([latest, rest] if len(rest) else [latest]).sort_index().set_axis(frame.index)
        return frame

    def _record(self, row: dict[Any, Any]) -> dict[str, Any] | None:
        if pd.isna(row["id"]) or row["status"] in FINAL_STATES:
            return None
        found = self._log.of_tune(self._client.service, int(row["id"]))
        return None if found is None or found.record is None else {**found.record, **rows.own_fields(row)}
