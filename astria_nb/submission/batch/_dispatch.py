"""Sending rows of a batch through an executor with other processes, perhaps on other machines."""

from __future__ import annotations

import io
import pickle
import uuid
from concurrent.futures import Executor, Future
from typing import Any

from astria_nb.errors import AstriaError, Problem
from astria_nb.submission._options import SubmitOptions
from astria_nb.submission.batch._parcel import WorkerTask, package_version
from astria_nb.submission.batch._row_outcome import RowOutcome
from astria_nb.submission.batch._worker import send_parcel
from astria_nb.tune import Pack, Tune


class Dispatch:
    """Hands rows to an executor whose workers are other processes.

    Parameters
    ----------
    executor : Executor
    options : SubmitOptions
    newest_id : int or None
        As in `WorkerTask`.
    """

    def __init__(self, executor: Executor, options: SubmitOptions, newest_id: int | None) -> None:
        self._executor, self._options, self._newest_id = executor, options, newest_id
        self._session = options.log.register()
        self._version = package_version()

    def submit(self, tune: Tune, pack: Pack) -> Future[RowOutcome]:
        """Let a worker send a tune."""
        try:
            content = pickle.dumps(self._task(tune, pack), pickle.HIGHEST_PROTOCOL)
        except Exception as error:  # noqa: BLE001  images in memory may be of any class
            what = f"cannot be sent to a worker ({type(error).__name__})"
            problem = Problem("tune", what, "give its images as paths, addresses or bytes")
            failed: Future[RowOutcome] = Future()
            failed.set_result(RowOutcome("not_sent", error=AstriaError(problem)))
            return failed
        return self._executor.submit(pickle.load, sealed(self._version, content))

    def _task(self, tune: Tune, pack: Pack) -> WorkerTask:
        options = self._options
        return WorkerTask(
            tune=tune,
            pack=pack,
            base_url=options.client.base_url,
            account=options.client.account,
            key_end=options.client.key_end,
            newest_id=self._newest_id,
            log=options.log,
            session=self._session,
            encoding=options.encoding,
            preprocessing=options.preprocessing,
            timeout=options.timeout,
            repeat=options.repeat,
            idempotent=options.idempotent,
        )


class _PickledCall:
    """Pickles as a call of `send_parcel`, which runs when it is unpickled."""

    def __init__(self, *arguments: object) -> None:
        self._arguments = arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return send_parcel, self._arguments


def sealed(version: str | None, content: bytes) -> io.BytesIO:
    """Return a file that sends a row when a worker calls ``pickle.load`` on it.

    Schedulers and workers can receive it without this package: a worker without the package fails with its
    own error, where a Dask worker would otherwise lose its connection. The repr, which executors write to
    their logs, does not show the content.
    """
    return io.BytesIO(pickle.dumps(_PickledCall(version, content, uuid.uuid4().hex)))
