"""The public experiment log: the record on disk, and the methods that use the service."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Unpack, cast

from astria_nb.client import Client
from astria_nb.defaults import client_or_default
from astria_nb.errors import LogError, Problem, TuneError
from astria_nb.images import Preprocessing, is_address, sha256_of
from astria_nb.log import UNSETTLED, Log, Submission
from astria_nb.submission import _recovery as recovery
from astria_nb.submission._engine import submit_once
from astria_nb.submission._options import CallbackObserver, SubmitOptions
from astria_nb.submission._unknown_accounts import is_unsure
from astria_nb.tune import Encoding, Request, Tune, TuneFields
from astria_nb.utils.arguments import check_id, check_number
from astria_nb.utils.formatting import quoted
from astria_nb.utils.interrupts import in_caller, shielded
from astria_nb.utils.progress import Progress
from astria_nb.utils.warn import warn

if TYPE_CHECKING:
    import pandas as pd

_DAY = 86400


class ExperimentLog(Log):
    """An append-only record of every submission: the request, its outcome, and the versions in use.

    Parameters
    ----------
    path : str or path, optional
        Default: the environment variable ``ASTRIA_NB_LOG``, or ``astria_log.sqlite`` beside the notebook.
        If the notebook is unknown, as in a script, the file is in the working directory at the first use. A
        process has one default log: changing the directory does not change it. Created on first use. For many
        machines, the address of a database: ``postgresql://user@host:5432/database`` (with the extra
        ``postgres``). Its password is neither shown nor pickled: see ``docs/shared-log.md``.

    Raises
    ------
    LogError
        On first use: the file was written by a newer release, is damaged or read-only, or is not a log; or
        the server cannot be reached. Immediately: the address is wrong.

    Examples
    --------
    >>> import astria_nb as anb
    >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> with anb.Sandbox(deterministic=True) as sandbox:
    ...     row = anb.submit(tune, sandbox.client())
    >>> list(anb.ExperimentLog().frame()["state"])[-1]
    'done'
    """

    def recover(self, client: Client | None = None, *, settle: float | None = None) -> pd.DataFrame:
        """Find out the outcome of unfinished submissions, and return their rows.

        Parameters
        ----------
        client : Client, optional
            A client of the service that they were sent to. Default: as in `submit`.
        settle : float, optional
            Seconds to wait before looking for a tune whose answer was lost. Default: 120.

        Returns
        -------
        pandas.DataFrame
            Rows as in `frame`, for the submissions that this call settled: ``adopted`` if the tune was found,
            ``not_sent`` if the request was never sent, ``needs_review`` if the tune was not found.

        Warns
        -----
        UserWarning
            There are unfinished submissions of another account of the service, or of an unknown one whose
            tunes this account does not have. They are not changed.

        Raises
        ------
        AstriaError
            The account could not be searched; call it again.

        Examples
        --------
        >>> import astria_nb as anb
        >>> with anb.Sandbox() as sandbox:
        ...     len(anb.ExperimentLog().recover(sandbox.client()))  # nothing was left open
        0
        """
        client = client_or_default(client)
        settle = None if settle is None else check_number("settle", settle, "seconds", maximum=_DAY)
        with Progress("Recovering") as progress:
            settled = shielded(recovery.recover, self, client, settle, report=in_caller(progress.update))
        if others := self._of_other_accounts(client):
            numbers = ", ".join(str(submission.id) for submission in others)
            which, what = "another account", "Call recover with a client that has that account's key"
            if client.account is None:
                which, what = (
                    "a known account",
                    "The service does not report the account of this key; try again",
                )
            warn(f"skipped: submissions of {which} (number {numbers} in the log). {what}")
        if unsure := [one for one in recovery.left_open(self, client) if is_unsure(one, client)]:
            numbers = ", ".join(str(submission.id) for submission in unsure)
            warn(
                f"skipped: submissions of an unknown account (number {numbers} in the log), whose tunes are "
                f"not on the account of this key ({client.account}). Call recover with the key that they "
                "were sent with; if it is this key, submit them again, which looks for them and says how to "
                "continue"
            )
        frame, ids = self.frame(hidden=True), [submission.id for submission in settled]
        return frame[frame["submission"].isin(ids)].reset_index(drop=True)

    def resolve(self, submission: object, tune_id: int | None = None) -> None:
        """Record the outcome of submissions that need review, after you have checked it yourself.

        Parameters
        ----------
        submission : int, DataFrame or iterable
            The value in the column ``submission`` of `frame`, several of them, or rows, as in `tag`.
        tune_id : int, optional
            The tune that it created; for a single submission only. If omitted, no tune was created, and the
            titles may be sent again.

        Raises
        ------
        LogError
            A submission does not exist, or does not need review. Nothing was recorded.
        TuneError
            Several submissions cannot have created the same tune.

        Examples
        --------
        >>> import astria_nb as anb
        >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
        >>> log = anb.ExperimentLog()
        >>> with anb.Sandbox() as sandbox:
        ...     fault = sandbox.fail("504", "POST /p/*/tunes")  # the request is lost
        ...     try:
        ...         anb.submit(tune, sandbox.client(), log=log, settle=0)
        ...     except anb.errors.OutcomeUnknownError:
        ...         log.resolve(log.frame()["submission"].iloc[-1])
        >>> log.frame()["state"].iloc[-1]
        'not_sent'
        """
        tune_id = None if tune_id is None else check_id("tune_id", tune_id)
        submissions = self.named(submission)
        if tune_id is not None and len(submissions) != 1:
            what = f"cannot be that of {len(submissions)} submissions"
            raise TuneError(Problem("tune_id", what, "resolve them one by one"))
        for one in submissions:
            if one.state != "needs_review":
                what = f"submission {one.id} is {one.state}"
                hint = "only a submission in needs_review can be resolved"
                if one.state in UNSETTLED:
                    hint += "; call recover first, which looks for it on the account"
                raise LogError(Problem("log", what, hint))
        for one in submissions:
            if tune_id is None:
                self.change(one, "not_sent", problem="not created, according to its owner")
            else:
                reply = {"id": tune_id, **one.own_fields}
                self.change(one, "adopted", tune_id=tune_id, reply=reply)

    def replay(
        self,
        id: object,  # noqa: A002  as in the frame
        client: Client | None = None,
        **changes: Unpack[TuneFields],
    ) -> pd.DataFrame:
        """Send a recorded request again, under a new title, and return the row.

        Parameters
        ----------
        id : int, DataFrame, Series or mapping
            The value in the column ``submission`` of `frame`, or one row, as in `tag`.
        client : Client, optional
            Default: as in `submit`.
        **changes
            Fields of `Tune` to send instead. Required for values that the log does not keep, such as the
            secret in a callback.

        Raises
        ------
        TuneError
            An image was moved or changed, or a field was recorded without its secret. Nothing was sent.
            Or the argument is neither a number nor one row.
        LogError
            The submission does not exist.

        Notes
        -----
        The request is the same, and images are prepared in the same way, but the service trains new weights.
        If the answer of an equal request was lost, that one is looked up first, and its row is returned. An
        image that is scaled down counts as changed if this version of Pillow encodes it differently.

        Examples
        --------
        >>> import astria_nb as anb
        >>> tune = anb.Tune(pack=797, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
        >>> log = anb.ExperimentLog()
        >>> with anb.Sandbox() as sandbox:
        ...     client = sandbox.client()
        ...     row = anb.submit(tune, client, log=log)
        ...     again = log.replay(log.frame()["submission"].iloc[-1], client, name="dog")
        >>> again.loc[0, "name"], again.loc[0, "title"] == row.loc[0, "title"]
        ('dog', False)
        """
        submission = self.get(id)
        tune = Tune(**_fields(submission, changes))
        # Images that are passed here were not prepared before.
        preprocessing = Preprocessing() if "images" in changes else submission.request.preprocessing
        self.record_event("replay", submission=submission, problem=f"as {tune.title}")
        progress = Progress("Submitting")
        options = SubmitOptions(
            client=client_or_default(client, pays=True),
            log=self,
            observer=CallbackObserver(progress.update_bytes, progress.update),
            encoding=cast("Encoding", submission.request.encoding),
            preprocessing=preprocessing,
            repeat="replay",
        )

        def send() -> pd.DataFrame:
            with progress:
                return submit_once(tune, options)

        return shielded(send)  # an interrupt after it would lose the row

    def _of_other_accounts(self, client: Client) -> list[Submission]:
        own = None, client.account
        return [one for one in self.unsettled(client.service) if one.request.account not in own]


def _fields(submission: Submission, changes: TuneFields) -> TuneFields:
    """Return the fields of a recorded tune with the changes, under a fresh title."""
    request = submission.request
    problems: list[Problem] = [
        Problem(field, "was recorded without its secret", f"give it: replay(…, {field}=…)")
        for field in request.redacted
        if field.split(".")[0] not in changes
    ]
    if "images" not in changes:
        problems += _moved(request)
    if problems:
        raise TuneError(*problems)
    fields = {**request.parameters, "pack": request.pack, "title": str(uuid.uuid4())}
    if request.images:
        fields["images"] = [image.path for image in request.images]
    return {**fields, **changes}  # type: ignore[typeddict-item]  # they came from a Tune


def _moved(request: Request) -> Iterator[Problem]:
    """Find the images that would not be sent with the same content."""
    for image in request.images:
        path, digest, name = image.path, image.sha256, quoted(image.filename)
        if not path:
            what = f"{name} was sent from memory, and the log keeps no photos"
            yield Problem("images", what, "give images=")
        elif not is_address(path) and not os.path.isfile(path):  # noqa: PTH113  pathlib raises if the disk cannot be asked
            yield Problem("images", f"{name} was moved or deleted", "put it back, or give images=")
        elif digest is None:  # the disk was full, or the program was killed
            what = f"{name} cannot be compared with the photo that was sent, whose hash was not recorded"
            yield Problem("images", what, "check it, and give images=")
        elif sha256_of(path, request.preprocessing) != digest:
            yield Problem("images", f"{name} has changed since it was sent", "restore it, or give images=")
