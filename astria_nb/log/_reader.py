"""Reading a log: single submissions, and all of them as frames and files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astria_nb.errors import LogError, Problem
from astria_nb.log import _machine as machine
from astria_nb.log import _returns as returns
from astria_nb.log import environment
from astria_nb.log._log_file import LogFile
from astria_nb.log._states import Submission
from astria_nb.log._times import check_time
from astria_nb.tune import Request, differences
from astria_nb.utils.arguments import parse_id, to_path
from astria_nb.utils.formatting import short
from astria_nb.utils.interrupts import shield, shielded

if TYPE_CHECKING:
    import pandas as pd

_MAX_SILENCE = timedelta(hours=1)  # longer than any upload takes


class LogReader(LogFile):
    """The methods of `astria_nb.log.Log` that read; parameters as there."""

    @shield
    def prompts(self, submission: Submission) -> list[dict[str, Any]]:
        """Return the latest known prompts of a submission's tune, by id.

        They come from the events of kind ``poll`` whose reply is an array; see `note`.

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
        """Return the submission that keeps a request from being sent, or None.

        That is the one that claims its title. A request without a title, a run on existing tunes, is kept
        from being sent by an equal one whose outcome is not known, or whose row was not handed out yet.

        Parameters
        ----------
        request : Request

        Returns
        -------
        Submission or None
        """
        if request.title is None:
            returns.record()  # a row that its caller has no longer claims its run
        return self._database.claimant(request)

    @shield
    def with_content(self, request: Request, limit: int = 20) -> list[Submission]:
        """Return submissions that ask for the same under any title and may exist, latest first.

        Fields and sizes of images are compared, not their content. Of format 3, those with titles are found.

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
    def get(self, id: int) -> Submission:  # noqa: A002  the column's own name
        """Return a submission.

        Parameters
        ----------
        id : int
            As in the column ``submission`` of `frame`.

        Returns
        -------
        Submission

        Raises
        ------
        KeyError
            There is no submission with this id.
        """
        number = parse_id(id)
        submission = None if number is None else self._database.get(number)
        if submission is None:
            raise KeyError(id)
        return submission

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

        Measured by the machine's uptime, since the wall clock may have been set; so it is known only on the
        same machine, and until its next boot.

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

    @shield
    def frame(self) -> pd.DataFrame:
        """Return a row per submission in its latest state, oldest first.

        A submission that was rejected or not sent is omitted once its title was planned again; `events` still
        lists it.

        Returns
        -------
        pandas.DataFrame
            The columns of `astria_nb.rows.tune_frame`, and ``submission, service, state, planned_at,
            problem``. A submission without a tune has no ``id``. Where there is no log, there are no rows.
        """
        from astria_nb.log import _frames as frames

        if self._opened is None and not self.exists():
            return frames.no_submissions()
        frame = frames.submissions(self._database)
        self._tell()
        return frame

    @shield
    def events(self, *, since: datetime | None = None, until: datetime | None = None) -> pd.DataFrame:
        """Return a row per event, in order.

        Parameters
        ----------
        since, until : datetime, optional
            With a time zone. Only events at or after the first, and before the second.

        Returns
        -------
        pandas.DataFrame
            ``id, at, kind, submission, session, service, title, tune_id, attempt, state, fingerprint, reply,
            problem``; times in UTC, ``reply`` as JSON text.
        """
        from astria_nb.log import _event_frames as event_frames

        _check_range(since, until)
        returns.record()
        frame = event_frames.frame(self._database, since, until)
        self._tell()
        return frame

    def iter_events(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[pd.DataFrame]:
        """Yield `events` in frames of some thousand rows: a log of any size, in little memory.

        Parameters
        ----------
        since, until : datetime, optional
            As in `events`.

        Yields
        ------
        pandas.DataFrame
            The next events, in order; those that are recorded meanwhile come last.

        Examples
        --------
        >>> import tempfile, astria_nb as anb
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     log = anb.ExperimentLog(f"{folder}/log.sqlite")
        ...     log.note("replay")
        ...     print(sum(len(frame) for frame in log.iter_events()))
        ...     log.close()
        1
        """
        _check_range(since, until)
        shielded(returns.record)
        after = 0
        while (frame := self._events_after(after, since, until)) is not None:
            after = int(frame["id"].iloc[-1])
            yield frame

    @shield
    def _events_after(
        self, after: int, since: datetime | None, until: datetime | None
    ) -> pd.DataFrame | None:
        from astria_nb.log import _event_frames as event_frames

        return event_frames.page(self._database, after, since, until)

    @shield
    def diff(self, a: int, b: int) -> pd.DataFrame:
        """Return the differences between the requests of two submissions, a row per field.

        Parameters
        ----------
        a, b : int
            Ids, as in the column ``submission`` of `frame`.

        Returns
        -------
        pandas.DataFrame
            ``field, a, b``: text; lists as JSON; null if a request has no such field.

        Raises
        ------
        KeyError
            There is no submission with such an id.
        """
        from astria_nb.log import _frames as frames

        return frames.differences_frame(differences(self.get(a).request, self.get(b).request))

    @shield
    def export(self, path: str | os.PathLike[str]) -> Path:
        """Write `frame` to a file, completely or not at all, and return its path.

        Parameters
        ----------
        path : str or path
            Ends in ``.parquet`` or ``.csv``. In a CSV file, text that a spreadsheet would evaluate as a
            formula is prefixed with an apostrophe.

        Returns
        -------
        Path

        Raises
        ------
        LogError
            The file cannot be written, or has another suffix.
        """
        from astria_nb.log import _export as export

        try:
            target = to_path(path)
        except OSError:  # no working directory
            target = None
        if target is None:
            what, hint = f"{short(path)} is not a valid path", "give one like '/home/me/runs.parquet'"
            raise LogError(Problem("path", what, hint))
        return export.write(self.frame, target)


def _check_range(since: object, until: object) -> None:
    for name, value in (("since", since), ("until", until)):
        if value is not None:
            check_time(name, value)
