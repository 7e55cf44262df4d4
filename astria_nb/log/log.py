"""The experiment log: every submission, what was requested, what came of it, and when."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astria_nb.errors import LogError, Problem, TuneError
from astria_nb.log import environment, machine
from astria_nb.log.log_file import LogFile
from astria_nb.log.states import STATES, UNSETTLED, Submission
from astria_nb.tune.request import Request, differences
from astria_nb.utils.arguments import parse_id, to_path
from astria_nb.utils.formatting import short
from astria_nb.utils.redaction import redact_name

if TYPE_CHECKING:
    import pandas as pd

_MAX_SILENCE = timedelta(hours=1)  # longer than any upload takes


class Log(LogFile):
    """A record of every submission in one file, which several notebooks and threads may write at once.

    It opens at its first use, and again after `close`. When a method that writes returns, the data is on the
    disk.

    Parameters
    ----------
    path : str or path, optional
        Default: the environment variable ``ASTRIA_NB_LOG``, else ``astria_log.sqlite`` in the working
        directory.
    timeout : float
        Seconds to wait while another process writes.

    Raises
    ------
    LogError
        From every method: the file cannot be opened, written or read, or is not a log that this version can
        use.

    Notes
    -----
    Never written: API keys, signatures and passwords in URLs, values of the query strings of callbacks
    (`astria_nb.utils.redaction`).

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory(); log = Log(f"{folder.name}/log.sqlite")
    >>> request = Request("https://api.astria.ai", 43, "t", "json", {"title": "t", "name": "cat"})
    >>> submission = log.change(log.plan(request), "sending")
    >>> log.change(submission, "done", tune_id=7, reply={"id": 7}).state
    'done'
    >>> log.frame()[["id", "title", "state"]].to_dict("records")
    [{'id': 7, 'title': 't', 'state': 'done'}]
    >>> log.close(); folder.cleanup()
    """

    def plan(
        self, request: Request, newest_known_id: int | None = None, *, sending: bool = False
    ) -> Submission:
        """Record the intent to send a request, which claims its title.

        Parameters
        ----------
        request : Request
        newest_known_id : int, optional
            The id of the account's newest tune.
        sending : bool
            Also record that the first attempt starts now: one write to the disk instead of two.

        Returns
        -------
        Submission

        Raises
        ------
        TitleClaimed
            A submission with this title may already exist on the service.
        TuneError
            The title contains what looks like a key or a password.
        """
        if request.title is not None and redact_name(request.title) != request.title:
            raise TuneError(
                Problem("title", "holds what looks like a key or a password", "choose another one")
            )
        planned = self._database.plan(request, newest_known_id, sending=sending)
        from astria_nb.log import segments  # loaded with the database

        if planned.id % segments.ROWS == 0:
            from astria_nb.log import frames

            frames.seal(self._database)
        return planned

    def change(
        self,
        submission: Submission,
        state: str,
        *,
        event: str | None = None,
        attempt: int | None = None,
        newest_known_id: int | None = None,
        tune_id: int | None = None,
        reply: Mapping[str, Any] | None = None,
        image_sha256: Sequence[str | None] | None = None,
        problem: str | None = None,
    ) -> Submission:
        """Move a submission to another state and record the event, in one transaction.

        Parameters
        ----------
        submission : Submission
            Its latest known state.
        state : str
        event : str, optional
            What happened, for `events`. Default: the state.
        attempt, newest_known_id, tune_id : int, optional
            Default: unchanged; the tune's id may also come from the reply.
        reply : mapping, optional
            The service's JSON.
        image_sha256 : sequence of (str or None), optional
            The hash of each file that was sent, in order.
        problem : str, optional
            What went wrong; kept until the next change.

        Returns
        -------
        Submission

        Raises
        ------
        StaleSubmission
            Another thread or process changed it in the meantime.
        ValueError
            The transition is not allowed.
        """
        if state not in STATES[submission.state]:
            raise ValueError(f"a submission that is {submission.state} cannot become {state}")
        changes = {"attempt": attempt, "newest_known_id": newest_known_id, "tune_id": tune_id}
        return self._database.change(submission, state, event or state, changes, reply, image_sha256, problem)

    def note(
        self,
        kind: str,
        *,
        submission: Submission | None = None,
        tune_id: int | None = None,
        service: str | None = None,
        reply: Any = None,
        problem: str | None = None,
    ) -> None:
        """Record an event that changes no state, such as a ``poll``, a ``callback`` or a ``replay``.

        A reply with the submission's tune (an object with its id) becomes its `record`, unless the record is
        newer. A reply with prompts (an array) is returned by `prompts`.

        Parameters
        ----------
        kind : str
        submission : Submission, optional
            Default: the submission of this `service` that made the tune, if there is one.
        tune_id : int, optional
        service : str, optional
        reply : JSON, optional
        problem : str, optional
        """
        self._database.note(kind, submission, tune_id, service, reply, problem)

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

    def find(self, service: str, title: str) -> Submission | None:
        """Return the submission that claims a title, or None.

        Parameters
        ----------
        service : str
            The service's URL.
        title : str

        Returns
        -------
        Submission or None
        """
        return self._database.find(service.rstrip("/"), title)

    def of_tune(self, service: str, tune_id: int) -> Submission | None:
        """Return the submission that made a tune, else the latest that ran a pack on it, or None.

        Parameters
        ----------
        service : str
            The service's URL.
        tune_id : int

        Returns
        -------
        Submission or None
        """
        return self._database.of_tune(service.rstrip("/"), tune_id)

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

    def unsettled(self, service: str) -> list[Submission]:
        """Return the submissions that are planned, being sent, or of unknown outcome, oldest first.

        Parameters
        ----------
        service : str
            The service's URL.

        Returns
        -------
        list of Submission
        """
        return self._database.in_states(service.rstrip("/"), UNSETTLED)

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

    def frame(self) -> pd.DataFrame:
        """Return a row per submission in its latest state, oldest first.

        A submission that was rejected or not sent is omitted once its title was planned again; `events` still
        lists it.

        Returns
        -------
        pandas.DataFrame
            The columns of `astria_nb.rows.tune_frame`, and ``submission, service, state, planned_at,
            problem``. A submission without a tune has no ``id``.
        """
        from astria_nb.log import frames

        return frames.submissions(self._database)

    def events(self) -> pd.DataFrame:
        """Return a row per event, in order.

        Returns
        -------
        pandas.DataFrame
            ``id, at, kind, submission, session, service, title, tune_id, attempt, state, fingerprint, reply,
            problem``; times in UTC, ``reply`` as JSON text.
        """
        from astria_nb.log import frames

        return frames.events(self._database)

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
        from astria_nb.log import frames

        return frames.differences_frame(differences(self.get(a).request, self.get(b).request))

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
        from astria_nb.log import export

        target = to_path(path)
        if target is None:
            raise LogError(
                Problem("path", f"{short(path)} is not a valid path", "give one like 'runs.parquet'")
            )
        return export.write(self.frame, target)

    def prune(self, before: datetime) -> int:
        """Delete settled submissions, and return how many.

        The title of a deleted submission may be sent, and paid for, again. Unsettled submissions and those
        that need review are kept.

        Parameters
        ----------
        before : datetime
            With a time zone. Only submissions that have not changed since are deleted.

        Returns
        -------
        int
        """
        if not isinstance(before, datetime) or before.tzinfo is None:
            is_naive = isinstance(before, datetime)
            what = "has no time zone" if is_naive else f"{short(before)} is not a datetime"
            raise LogError(Problem("before", what, "write it like datetime(2026, 1, 1, tzinfo=UTC)"))
        return self._database.prune(before)
