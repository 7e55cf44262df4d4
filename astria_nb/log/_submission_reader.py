"""Reading single submissions of a log, and the time since their last change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from astria_nb.log import _machine as machine
from astria_nb.log import _returns as returns
from astria_nb.log import environment
from astria_nb.log._log_file import LogFile
from astria_nb.log._states import Precedents, Submission
from astria_nb.tune import Request
from astria_nb.utils.arguments import parse_id
from astria_nb.utils.interrupts import shield

_MAX_SILENCE = timedelta(hours=1)  # longer than any upload takes


class SubmissionReader(LogFile):
    """The methods of `astria_nb.log.Log` that read submissions; parameters as there."""

    @shield
    def prompts(self, submission: Submission) -> list[dict[str, Any]]:
        """Return the latest known prompts of a submission's tune, by id.

        They come from events of kind ``poll`` whose reply is an array; see `record_event`.

        Parameters
        ----------
        submission : Submission

        Returns
        -------
        list of dict
        """
        return self._database.prompts(submission.id)

    @shield
    def find(self, service: str, title: str, account: str | None = None) -> Submission | None:
        """Return the submission that claims a title, or None.

        Parameters
        ----------
        service : str
            The service's URL.
        title : str
        account : str, optional
            The account's id. Default: any account. A submission whose account is unknown is found for all.

        Returns
        -------
        Submission or None
        """
        return self._database.find(service, title, account)

    @shield
    def claimant(self, request: Request) -> Submission | None:
        """Return the submission that prevents a request from being sent, or None.

        This is the submission that claims its title. A request without a title, a run on existing tunes, is
        prevented by an equal one whose outcome is not known, or whose row was not returned yet.

        Parameters
        ----------
        request : Request

        Returns
        -------
        Submission or None
        """
        if request.title is None:
            returns.record()  # once its caller has the row, it no longer claims its run
        return self._database.claimant(request)

    @shield
    def precedents(self, request: Request) -> Precedents:
        """Return the log's records about a request, read together.

        Parameters
        ----------
        request : Request
            With the sizes of its images as they are sent.

        Returns
        -------
        Precedents
        """
        (precedents,) = self.precedents_of([request])
        return precedents

    @shield
    def precedents_of(self, requests: Sequence[Request]) -> list[Precedents]:
        """Return the `precedents` of several requests, read together.

        Parameters
        ----------
        requests : sequence of Request

        Returns
        -------
        list of Precedents
        """
        if any(request.title is None for request in requests):
            returns.record()  # once its caller has the row, it no longer claims its run
        return self._database.precedents_of(requests)

    @shield
    def with_content(self, request: Request, limit: int = 20) -> list[Submission]:
        """Return submissions with the same content under any title that may exist, latest first.

        Fields and sizes of images are compared, not their content. In format 3, only submissions with titles
        are found.

        Parameters
        ----------
        request : Request
            With the sizes of its images as they are sent.
        limit : int
            Maximum number of submissions.

        Returns
        -------
        list of Submission
        """
        return self._database.with_content(request, limit)

    @shield
    def was_returned(self, submission: Submission) -> bool:
        """Return whether the row of a run without a title, or of an adopted tune, was handed to its caller.

        Parameters
        ----------
        submission : Submission
        """
        returns.record()
        return self._database.was_returned(submission.id)

    @shield
    def of_tune(self, service: str, tune_id: int, account: str | None = None) -> Submission | None:
        """Return the submission that made a tune, else the latest that ran a pack on it, or None.

        Parameters
        ----------
        service : str
            The service's URL.
        tune_id : int
        account : str, optional
            As in `find`.

        Returns
        -------
        Submission or None
        """
        return self._database.of_tune(service, tune_id, account)

    @shield
    def runs_on(self, service: str, tune_id: int, account: str | None = None) -> list[Submission]:
        """Return the submissions that ran a pack on a tune, latest first; parameters as in `of_tune`.

        Returns
        -------
        list of Submission
        """
        return self._database.runs_on(service, tune_id, account)

    @shield
    def get(self, id: object) -> Submission:  # noqa: A002  the column's own name
        """Return a submission.

        Parameters
        ----------
        id : int, DataFrame, Series or mapping
            A number of the column ``submission`` of `frame`, or one row, as in `tag`.

        Returns
        -------
        Submission

        Raises
        ------
        LogError
            There is no such submission. The error is also a `KeyError`.
        TuneError
            This is neither a number nor one row.
        """
        number = parse_id(id)
        submission = None if number is None else self._database.get(number)
        if submission is not None:
            return submission
        from astria_nb.log import _naming as naming  # needs pandas

        return naming.only_submission(self._database, id)

    @shield
    def unsettled(self, service: str, account: str | None = None) -> list[Submission]:
        """Return the submissions that are planned, being sent, or of unknown outcome, oldest first.

        Parameters
        ----------
        service : str
            The service's URL.
        account : str, optional
            As in `find`.

        Returns
        -------
        list of Submission
        """
        return self._database.unsettled(service, account)

    @shield
    def is_abandoned(self, submission: Submission) -> bool:
        """Return whether the process that changed a submission last has ended, so that another may settle it.

        A process on this machine is looked up. If it ran on another machine, in another container or before
        the last boot, or if the lookup fails, it counts as ended one hour after its last change. This process
        itself has never ended; its threads coordinate among themselves.

        Parameters
        ----------
        submission : Submission

        Returns
        -------
        bool
        """
        writer = self._database.session(submission.session)
        if writer is not None and writer["id"] == environment.session().id:
            return False
        if writer is not None and writer["place"] == machine.place():
            running = machine.is_running(writer["pid"], writer["process_started"])
            if running is not None:
                return not running
        return datetime.now(UTC) - submission.changed_at > _MAX_SILENCE

    @shield
    def age(self, submission: Submission) -> float | None:
        """Return the seconds since the last change of a submission, or None if unknown.

        Measured by the machine's uptime, since the wall clock may have been changed. So it is only known on
        the same machine, and until its next boot.

        Parameters
        ----------
        submission : Submission

        Returns
        -------
        float or None
        """
        writer, uptime = self._database.session(submission.session), machine.uptime()
        if writer is None or uptime is None or submission.uptime is None:
            return None
        return uptime - submission.uptime if writer["place"] == machine.place() else None
