"""The experiment log: the record on disk, and what can be done with it on the service."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Unpack, cast

import pandas as pd

from astria_nb.client.client import Client
from astria_nb.defaults import client_or_default
from astria_nb.errors import LogError, Problem, TuneError
from astria_nb.images.preprocessing import Preprocessing
from astria_nb.images.upload import sha256_of
from astria_nb.log import Log
from astria_nb.log.states import Submission
from astria_nb.submission import recovery
from astria_nb.submission._submit import submit
from astria_nb.tune.encoding import Encoding
from astria_nb.tune.request import Request
from astria_nb.tune.tune import Tune, TuneFields
from astria_nb.utils.arguments import check_id, check_number
from astria_nb.utils.formatting import short
from astria_nb.utils.progress import Progress

_DAY = 86400


class ExperimentLog(Log):
    """Every submission, on disk, append-only: what was sent, what came of it, and with which versions.

    Parameters
    ----------
    path : path, optional
        Default: ``ASTRIA_NB_LOG``, or ``astria_log.sqlite`` in the working directory. Made at the first use.

    Raises
    ------
    LogError
        At the first use: the file is of a newer release, damaged, read-only, or no log.

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
        """Find out what became of the submissions that were left open, and return their rows.

        Parameters
        ----------
        client : Client, optional
            Of the service that they were sent to. Default as in `submit`.
        settle : float, optional
            Seconds that the service has to finish before a tune whose answer was lost is looked for; default
            120.

        Returns
        -------
        pandas.DataFrame
            As `frame`, of those that are settled by this call: ``adopted`` when their tune was found,
            ``not_sent`` when they never left, ``needs_review`` when it was not found.

        Raises
        ------
        AstriaError
            The account could not be looked at; call it again.
        """
        client = client_or_default(client)
        settle = None if settle is None else check_number("settle", settle, "seconds", maximum=_DAY)
        with Progress("Recovering") as progress:
            settled = recovery.recover(self, client, settle, say=progress.update)
        frame = self.frame()
        return frame[frame["submission"].isin([each.id for each in settled])].reset_index(drop=True)

    def resolve(self, id: int, tune_id: int | None = None) -> None:  # noqa: A002  as in the frame
        """Say what you found out yourself about a submission that needs review.

        Parameters
        ----------
        id : int
            The submission, by the frame's column of that name.
        tune_id : int, optional
            The tune that it made. Without it, it made none, and its title may be sent again.

        Raises
        ------
        LogError
            There is no such submission, or it needs no review.
        """
        tune_id = None if tune_id is None else check_id("tune_id", tune_id)
        submission = self._get(id)
        if submission.state != "needs_review":
            what = f"submission {submission.id} is {submission.state}"
            raise LogError(Problem("log", what, "only needs_review is resolved"))
        if tune_id is None:
            self.change(submission, "not_sent", problem="not made, as its owner says")
        else:
            reply = {"id": tune_id, **submission.own_fields}
            self.change(submission, "adopted", tune_id=tune_id, reply=reply)

    def replay(
        self,
        id: int,  # noqa: A002  as in the frame
        client: Client | None = None,
        **changes: Unpack[TuneFields],
    ) -> pd.DataFrame:
        """Send a recorded request again, under a new title, and return the row.

        Parameters
        ----------
        id : int
            The submission, by the frame's column of that name.
        client : Client, optional
            Default as in `submit`.
        **changes
            Fields of `Tune` to send instead: what the log does not keep, such as the secret in a callback,
            has to be given anew.

        Raises
        ------
        TuneError
            An image is not where it was or not what it was, or a field was not kept whole. Nothing was sent.
        LogError
            There is no such submission.

        Notes
        -----
        The request is the same, and its images are treated as they were then; the weights that the service
        trains from it are not. An image that was made smaller counts as changed where another version of
        Pillow makes it another way.
        """
        submission = self._get(id)
        tune = Tune(**_fields(submission, changes))
        # Images that are given anew are treated as any others.
        preprocessing = Preprocessing() if "images" in changes else submission.request.preprocessing
        self.note("replay", submission=submission, problem=f"as {tune.title}")
        return submit(
            tune,
            client,
            encoding=cast("Encoding", submission.request.encoding),
            log=self,
            keep_metadata=preprocessing.keep_metadata,
            max_side=preprocessing.max_side,
        )

    def _get(self, id: int) -> Submission:  # noqa: A002  as in the frame
        try:
            return self.get(id)
        except KeyError:
            hint = "choose one of log.frame()['submission']"
            raise LogError(Problem("log", f"has no submission {short(id)}", hint)) from None


def _fields(submission: Submission, changes: TuneFields) -> TuneFields:
    """Return the fields of a recorded tune, with a fresh title."""
    request = submission.request
    problems: list[Problem] = [
        Problem(field, "was not recorded whole, for it holds a secret", f"give it: replay(…, {field}=…)")
        for field in request.redacted
        if field.split(".")[0] not in changes
    ]
    if "images" not in changes:
        problems += _moved(request)
    if problems:
        raise TuneError(*problems)
    fields = {**request.parameters, "pack": request.pack, "title": str(uuid.uuid4())}
    if request.images:
        fields["images"] = [each.path for each in request.images]
    return {**fields, **changes}  # type: ignore[typeddict-item]  # as Tune wrote them


def _moved(request: Request) -> Iterator[Problem]:
    """Find the images of which not the same would be sent again."""
    for image in request.images:
        path, known = Path(image.path), image.sha256
        if not path.is_file():
            yield Problem("images", f"{image.filename!r} is not where it was", "put it back, or give images=")
        elif known is None or sha256_of(path, request.preprocessing) != known:
            yield Problem("images", f"{image.filename!r} is not what was sent", "restore it, or give images=")
