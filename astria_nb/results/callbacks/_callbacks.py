"""Callbacks from the service keep the log up to date, instead of polling."""

from __future__ import annotations

import atexit
import threading
import time
from types import TracebackType
from typing import Any, NoReturn, Self, TypedDict

import pandas as pd

from astria_nb import rows
from astria_nb.client import Client
from astria_nb.client.deadline import Deadline
from astria_nb.client.retry import is_transient
from astria_nb.defaults import client_or_default, log_or_default
from astria_nb.errors import AstriaError, Problem
from astria_nb.log import Log
from astria_nb.results.callbacks._public_url import check_public_url
from astria_nb.results.callbacks._receiver import Receiver
from astria_nb.results.callbacks._refresher import Refresher
from astria_nb.results.callbacks._secret import Secret
from astria_nb.results.callbacks._server import HOST
from astria_nb.results.frames import tunes_of, update_rows
from astria_nb.results.watch import FINAL_STATES
from astria_nb.utils.arguments import check_number, check_port
from astria_nb.utils.progress import Progress

_STOP_SECONDS = 2.0  # how long `stop` waits for a request in flight
_LAST_POLL = 2.0  # seconds that a poll may take at the end of a wait
_LAST_RETRY = 60.0  # seconds before the end of a wait in which a poll has less time than usual for retries
_LOG_INTERVAL = 1.0  # seconds between two reads of the log, which other kernels may write to


class CallbackFields(TypedDict):
    """The fields of a tune that contain callback addresses."""

    callback: str
    prompts_callback: str
    prompt_attributes: dict[str, Any]


class Callbacks:
    """Receives the service's callbacks and keeps the log up to date, with few requests.

    The content of a callback is never trusted. It only causes the tune to be fetched from the service, and
    that reply is recorded in the log. Only tunes in the log are fetched, so a forged callback changes
    nothing. `poll` makes up for lost callbacks about tunes. The log records only the prompts that callbacks
    were about; `astria_nb.prompts` returns all of them.

    Parameters
    ----------
    log : ExperimentLog, optional
        Default as in `submit`.
    client : Client, optional
        Default as in `submit`.
    public_url : str, optional
        The https address of a tunnel to this machine, for a service that runs elsewhere. Not needed for the
        sandbox.
    port : int
        The port to listen on, on this machine only; 0 for any free port. A tunnel needs a fixed one.
    secret : str, optional
        Part of `url`; authenticates callbacks. Default: a random one. To receive callbacks for
        tunes that an earlier kernel submitted, use the same secret and address both times. Keep it where you
        keep your API key: in Jupyter's environment or the system's keyring, not in a notebook.

    Raises
    ------
    AstriaError
        The service cannot reach this machine without a `public_url`, or an argument is not valid.

    Notes
    -----
    The service sends each callback once, without a signature (astria-api, section 9). The secret is never
    shown, and the log and the rows omit it. It is part of `url` and `fields`, of the tune they are used in,
    and of code or a form for that tune. Anyone who has it can only cause your tunes to be fetched.

    Examples
    --------
    >>> import astria_nb as anb
    >>> log = anb.ExperimentLog()
    >>> with anb.Sandbox(deterministic=True) as sandbox, anb.Callbacks(log, sandbox.client()) as callbacks:
    ...     urls = ["https://example.com/1.jpg"]
    ...     tune = anb.Tune(pack=43, title="t", name="cat", image_urls=urls, **callbacks.fields())
    ...     row = anb.submit(tune, sandbox.client(), log=log)
    ...     sandbox.advance(600)  # ten minutes pass at once
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
        self._receiver: Receiver | None = None  # first: tracebacks show incomplete objects, too
        try:
            self._secret = Secret(secret)
        finally:
            del secret  # tracebacks may show local variables
        self._log, self._client = log_or_default(log), client_or_default(client)
        check_public_url(public_url, self._client.base_url)
        self._public_url, self._port = public_url, check_port("port", port)
        self._lock = threading.Lock()
        self._refresher = Refresher(self._log, self._client)

    @property
    def url(self) -> str:
        """The address for the service, including the secret. Use it in a tune, do not print it.

        Raises
        ------
        AstriaError
            It is not started, so it has no address.
        """
        return self._secret.added_to(self._public_url or f"{self._address()}/")

    def fields(self, **prompt_attributes: str | int | float | bool) -> CallbackFields:
        """Return all three callbacks as fields of a tune: ``anb.Tune(pack=…, **callbacks.fields())``.

        Parameters
        ----------
        **prompt_attributes
            Other prompt attributes of the tune; the prompt callback is one of them.

        Returns
        -------
        dict
            ``callback, prompts_callback, prompt_attributes``.

        Examples
        --------
        As for the class.
        """
        url = self.url
        return {
            "callback": url,
            "prompts_callback": url,
            "prompt_attributes": {**prompt_attributes, "callback": url},
        }

    def start(self) -> Self:
        """Start listening, and fetch the unfinished tunes of the log once.

        Raises
        ------
        AstriaError
            The port is taken.
        """
        with self._lock:
            if self._receiver is not None:
                return self
            self._refresher = Refresher(self._log, self._client)
            try:
                self._receiver = Receiver(self._port, self._secret, self._refresher.on_callback)
            except OSError as error:
                reason = error.strerror or type(error).__name__
            else:
                self._receiver.start()
                self._refresher.start()
                # Daemon threads must not be running when the interpreter shuts down.
                atexit.register(self.stop)
                return self
        raise AstriaError(Problem("port", f"{self._port} cannot be used ({reason})", "choose another one"))

    def stop(self) -> None:
        """Stop listening and free the port."""
        with self._lock:
            receiver, self._receiver = self._receiver, None
            if receiver is not None:
                atexit.unregister(self.stop)
                receiver.stop()
                self._refresher.stop(_STOP_SECONDS)

    def poll(self) -> pd.DataFrame:
        """Fetch every unfinished tune of the log, which makes up for lost callbacks about tunes.

        Prompts are not fetched: `astria_nb.prompts` has them, whichever callbacks were lost.

        Returns
        -------
        pandas.DataFrame
            The rows of the log's `frame` for the tunes that were fetched.

        Raises
        ------
        AstriaError
            The service refused, or could not be reached; call it again.

        Examples
        --------
        >>> import astria_nb as anb
        >>> with anb.Sandbox() as sandbox:
        ...     len(anb.Callbacks(anb.ExperimentLog(), sandbox.client()).poll())  # nothing is unfinished
        0
        """
        tune_ids = self._refresher.refresh_unfinished()
        frame = self._log.frame(hidden=True)
        return frame[frame["id"].isin(tune_ids)].reset_index(drop=True)

    def wait(self, frame: rows.Rows, *, timeout: float | None = None, poll: float = 60.0) -> pd.DataFrame:
        """Wait until tunes are trained according to the log, and return their rows. Safe to interrupt.

        Parameters
        ----------
        frame : pandas.DataFrame
            One row or many, as `submit` returns them, in any form that `astria_nb.rows.typed` reads.
        timeout : float, optional
            Maximum seconds to wait; after that, the rows are returned in their current state. A poll at the
            end may take two seconds longer. Default: no limit.
        poll : float
            Seconds between two polls of the service, in case a callback was lost.

        Returns
        -------
        pandas.DataFrame
            The same rows. A row is also finished if its tune failed, expired or was deleted; see its
            ``status``.

        Raises
        ------
        AstriaError
            As `poll`. In the last minute of a wait, a service that does not answer is not an error.
        """
        frame = tunes_of(frame, self._client)
        timeout = float("inf") if timeout is None else check_number("timeout", timeout, "seconds")
        end = time.monotonic() + timeout
        poll = check_number("poll", poll, "seconds", allow_zero=False)
        next_poll = time.monotonic() + poll
        noun = "1 tune" if len(frame) == 1 else f"{len(frame)} tunes"
        title, saved = (f"{word} for callbacks of {noun}" for word in ("Waiting", "Waited"))
        with Progress(title, patience=0, saved=f"{saved}.") as progress:
            while True:
                version = self._refresher.version
                frame = self._latest(frame)
                finished = int((frame["status"].isin(FINAL_STATES) | frame["id"].isna()).sum())
                progress.update(finished / len(frame) if len(frame) else 1.0, f"{finished} of {noun}")
                if finished == len(frame) or time.monotonic() >= end:
                    return frame
                if time.monotonic() >= next_poll:
                    self._poll_until(end)
                    next_poll = time.monotonic() + poll
                now = time.monotonic()
                self._refresher.wait_for_change(version, min(_LOG_INTERVAL, end - now, next_poll - now))

    def _poll_until(self, end: float) -> None:
        """Poll within the time of a wait; a failed poll is not an error if too little time is left."""
        try:
            with Deadline(max(end - time.monotonic(), _LAST_POLL)):
                self.poll()
        except AstriaError as error:
            if not is_transient(error) or end - time.monotonic() > _LAST_RETRY:
                raise

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
        raise TypeError(
            "callbacks hold a secret and a port and cannot be pickled: create new ones with Callbacks()"
        )

    def _address(self) -> str:
        receiver = self._receiver
        if receiver is None:
            raise AstriaError(Problem("callbacks", "have no address yet", "call start() first"))
        return f"http://{HOST}:{receiver.port}"

    def _latest(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows in their state in the log."""
        records = {position: self._record(row) for position, row in enumerate(frame.to_dict("records"))}
        updated = {position: record for position, record in records.items() if record is not None}
        if not updated:
            return frame
        latest = rows.tune_frame(list(updated.values()), self._client.now())
        return update_rows(frame, [*updated], latest)

    def _record(self, row: dict[Any, Any]) -> dict[str, Any] | None:
        """Return the log's record of an unfinished tune."""
        if pd.isna(row["id"]) or row["status"] in FINAL_STATES:
            return None
        submission = self._log.of_tune(self._client.service, int(row["id"]), self._client.known_account)
        if submission is None or submission.record is None:
            return None
        return {**submission.record, **submission.origin, **rows.own_fields(row)}
