"""The experiment log: every submission with its request, its outcome, and the times."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from astria_nb.errors import Problem, TuneError
from astria_nb.log import _returns as returns
from astria_nb.log._labelling import LogLabels
from astria_nb.log._states import STATES, Submission
from astria_nb.log._times import check_time
from astria_nb.tune import Request
from astria_nb.utils.interrupts import shield
from astria_nb.utils.redaction import redact_title


def problem_with_title(title: str | None) -> Problem | None:
    """Return the problem with a title that cannot be recorded, or None."""
    if title is None or redact_title(title) == title:
        return None
    return Problem("title", "holds what looks like a key or a password", "choose another one")


class Log(LogLabels):
    """A record of every submission, which several notebooks and threads may write at once.

    It is one file, or a PostgreSQL database for many machines. It opens at its first use, and again after
    `close`. When a method that writes returns, the data is on the disk.

    Parameters
    ----------
    path : str or path, optional
        Default: the environment variable ``ASTRIA_NB_LOG``, else ``astria_log.sqlite`` beside the notebook.
        If the notebook is unknown, the file is in the working directory at the first use in this process. Or
        the address of a database, ``postgresql://user@host:5432/database``; see ``docs/shared-log.md``.
    timeout : float
        Seconds to wait while another process writes. If a server goes away, calls wait for up to two minutes.

    Raises
    ------
    LogError
        From every method: the file cannot be opened, written or read, the server did not come back, or the
        log cannot be used by this version.

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

    @shield
    def plan(
        self,
        request: Request,
        newest_known_id: int | None = None,
        *,
        sending: bool = False,
        newest_equal_id: int | None = None,
    ) -> Submission:
        """Record the intent to send a request, and claim its title.

        Parameters
        ----------
        request : Request
        newest_known_id : int, optional
            The id of the account's newest tune.
        sending : bool
            Also record that the first attempt starts now, with one write to the disk instead of two.
        newest_equal_id : int, optional
            The latest submission with the same content that the caller knows, 0 if none. A later one from
            another thread or process prevents the request from being recorded.

        Returns
        -------
        Submission

        Raises
        ------
        RequestClaimed
            A submission with this title, or an equal run without a title, may exist on the service.
        SameContentRecorded
            A submission of the same content was recorded meanwhile.
        TuneError
            The title contains what looks like a key or a password.
        """
        if (problem := problem_with_title(request.title)) is not None:
            raise TuneError(problem)
        self._database.store.check()
        planned = self._database.plan(request, newest_known_id, newest_equal_id, sending=sending)
        from astria_nb.log import _segments as segments  # loaded with the database

        if planned.id % segments.ROWS == 0:
            from astria_nb.log import _frames as frames

            frames.seal(self._database)
        return planned

    @shield
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
        changed = self._database.change(
            submission, state, event or state, changes, reply, image_sha256, problem
        )
        self._warn_of_rewritten_file(is_paid=True)  # it is recorded, which a warning must not hide
        return changed

    @shield
    def record_event(
        self,
        kind: str,
        *,
        submission: Submission | None = None,
        tune_id: int | None = None,
        service: str | None = None,
        reply: Any = None,
        problem: str | None = None,
        account: str | None = None,
    ) -> None:
        """Record an event that changes no state, such as a ``poll``, a ``callback`` or a ``replay``.

        A reply with the submission's tune (an object with its id) becomes its `record`, unless the record is
        newer. `prompts` returns replies with prompts (an array).

        Parameters
        ----------
        kind : str
        submission : Submission, optional
            Default: the submission of this `service` and `account` that made the tune, if there is one.
        tune_id : int, optional
        service : str, optional
        reply : JSON, optional
        problem : str, optional
        account : str, optional
            As in `find`. A submission of unknown account whose tune is in the reply, under its title, is of
            this account from here on.

        Raises
        ------
        LogError
            The log cannot be written, or the submission was pruned; the latter is also a `KeyError`.
        """
        self._database.record_event(kind, submission, tune_id, service, reply, problem, account)

    @shield
    def note_returned(
        self, submission: Submission, arrival: Callable[[], bool | None] = lambda: True
    ) -> None:
        """Record that a row which may have been lost was returned to its caller: it may be sent again.

        Parameters
        ----------
        submission : Submission
        arrival : callable
            Returns True once the caller has the row, False if an interrupt kept it from the caller, and None
            before that. A row that has not arrived yet is recorded shortly after it arrives.
        """
        if not arrival():
            returns.expect(self, submission, arrival)
            return
        from astria_nb.log import _selects as selects  # loaded with the database

        self.record_event(selects.RETURNED, submission=submission)

    @shield
    def register(self) -> str:
        """Record this process as one that writes to the log, and return the id of its session."""
        return self._database.register()

    @shield
    def is_registered(self, session: str) -> bool:
        """Return whether a process has written to this log; False if there is no log, and none is created.

        Parameters
        ----------
        session : str
            The id that `register` returned in that process.
        """
        return self.exists() and self._database.is_registered(session)

    @shield
    def prune(self, before: datetime) -> int:
        """Delete settled submissions, and return how many.

        The title of a deleted submission may be sent, and paid for, again. Unsettled submissions and those
        that need review are kept.

        Parameters
        ----------
        before : datetime
            With a time zone. Only submissions without later records are deleted: no change, no poll with news
            about the tune, and no tag, note or other label.

        Returns
        -------
        int

        Raises
        ------
        LogError
            The time has no time zone, or the log cannot be written.

        Examples
        --------
        >>> from datetime import UTC, datetime
        >>> import astria_nb as anb
        >>> anb.ExperimentLog().prune(datetime(2020, 1, 1, tzinfo=UTC))
        0
        """
        return self._database.prune(check_time("before", before))

    def _close(self) -> None:
        returns.close(self)
        super()._close()
