"""The record on disk of every submission: what was asked, what came of it, and when."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from astria_nb.errors import LogError, Problem, TuneError
from astria_nb.log import environment
from astria_nb.log.states import STATES, UNSETTLED, Submission
from astria_nb.tune.request import Request, differences
from astria_nb.utils.arguments import parse_id, to_path
from astria_nb.utils.formatting import short
from astria_nb.utils.redaction import redact_name

if TYPE_CHECKING:  # loaded at the first use: the form and a script that sends nothing do not pay for them
    import pandas as pd

    from astria_nb.log.database import Book

DEFAULT_PATH = "astria_log.sqlite"
_SEAL_EVERY = 8192  # submissions: a tenth of a second each time, for a frame that stays fast
_SILENCE = timedelta(hours=1)  # longer than any upload may take

_opening = RLock()
if hasattr(os, "register_at_fork"):  # held by another thread, it would never be let go in the child
    os.register_at_fork(
        before=_opening.acquire, after_in_parent=_opening.release, after_in_child=_opening.release
    )


class Log:
    """Where every submission is kept: one file, to which several notebooks and threads may write at once.

    It opens at its first use, and again after `close`. A write is on the disk when its method returns.

    Parameters
    ----------
    path : str or path, optional
        Default: the environment's ``ASTRIA_NB_LOG``, else ``astria_log.sqlite`` in the working directory.
    timeout : float
        Seconds to wait while another process writes.

    Raises
    ------
    LogError
        From every method: the file cannot be opened, written or read, or is not a log that this version can
        use.

    Notes
    -----
    Never written: API keys, signatures and passwords in addresses, values of the query strings of callbacks
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

    def __init__(self, path: str | os.PathLike[str] | None = None, *, timeout: float = 30.0) -> None:
        blank = path is None or (isinstance(path, str) and not path)
        given = os.environ.get("ASTRIA_NB_LOG") or DEFAULT_PATH if blank else path
        # Taken now: a later change of the working directory must not lead to a second log.
        found = to_path(given)
        if found is None or "://" in str(given):
            what = f"{short(given)} is {'no possible path' if found is None else 'an address'}"
            raise LogError(Problem("log", what, "give the path of a file"))
        self._path, self._timeout = found, timeout
        self._opened: Book | None = None

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def plan(
        self, request: Request, newest_known_id: int | None = None, *, sending: bool = False
    ) -> Submission:
        """Record the intent to send a request, and claim its title for it.

        Parameters
        ----------
        request : Request
        newest_known_id : int, optional
            The account's newest tune so far.
        sending : bool
            Record as well that it is about to be sent, for the first time: one wait for the disk instead of
            two.

        Raises
        ------
        TitleClaimed
            A submission of this title may exist on the service already.
        TuneError
            The title holds what looks like a key or a password.
        """
        if request.title is not None and redact_name(request.title) != request.title:
            raise TuneError(
                Problem("title", "holds what looks like a key or a password", "choose another one")
            )
        planned = self._book.plan(request, newest_known_id, sending=sending)
        if planned.id % _SEAL_EVERY == 0:
            self._seal()
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
        """Move a submission to another state, and record why, both or neither.

        Parameters
        ----------
        submission : Submission
            As it was seen last.
        state : str
        event : str, optional
            What happened, for `events`; default the state's name.
        attempt, newest_known_id, tune_id : int, optional
            Default: as before; the tune's id also from the reply.
        reply : mapping, optional
            The service's JSON.
        image_sha256 : sequence of (str or None), optional
            The hash of each file that was sent, in order.
        problem : str, optional
            What went wrong; it stands until the next change.

        Raises
        ------
        StaleSubmission
            Somebody else changed it in the meantime.
        ValueError
            The one state does not lead to the other.
        """
        if state not in STATES[submission.state]:
            raise ValueError(f"a submission that is {submission.state} cannot become {state}")
        news = {"attempt": attempt, "newest_known_id": newest_known_id, "tune_id": tune_id}
        return self._book.change(submission, state, event or state, news, reply, image_sha256, problem)

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
        """Record something that changes no state: a ``poll``, a ``callback``, a ``replay``.

        A reply that tells of the submission's tune (an object with its id) becomes its latest `record`,
        unless it is older than that. One that tells of its prompts (an array) is found again by `prompts`.

        Parameters
        ----------
        kind : str
        submission : Submission, optional
            Default: the one of this `service` that made the tune, where there is one.
        tune_id : int, optional
        service : str, optional
        reply : JSON, optional
        problem : str, optional
        """
        self._book.note(kind, submission, tune_id, service, reply, problem)

    def prompts(self, submission: Submission) -> list[dict[str, Any]]:
        """Return the prompts of a submission's tune as they were seen last, oldest first.

        They are those of each ``poll`` whose reply is an array; see `note`.

        Parameters
        ----------
        submission : Submission
        """
        return self._book.prompts(submission.id)

    def find(self, service: str, title: str) -> Submission | None:
        """Return the submission that claims a title, or None."""
        return self._book.find(service.rstrip("/"), title)

    def of_tune(self, service: str, tune_id: int) -> Submission | None:
        """Return the submission that made a tune, else the latest that ran a pack on it, or None."""
        return self._book.of_tune(service.rstrip("/"), tune_id)

    def get(self, id: int) -> Submission:  # noqa: A002  the column's own name
        """Return a submission.

        Raises
        ------
        KeyError
            There is none of this id.
        """
        number = parse_id(id)
        found = None if number is None else self._book.get(number)
        if found is None:
            raise KeyError(id)
        return found

    def unsettled(self, service: str) -> list[Submission]:
        """Return what is planned, being sent, or of unknown outcome, oldest first."""
        return self._book.in_states(service.rstrip("/"), UNSETTLED)

    def is_abandoned(self, submission: Submission) -> bool:
        """Tell whether the process that changed a submission last is gone, so that another may settle it.

        On this machine the process is looked for. Of one on another machine, in another container, from
        before this machine's last start, or where the system does not tell, it is assumed an hour after its
        last change. This process itself is never gone; what its threads left behind is theirs to know.
        """
        writer = self._book.session(submission.session)
        if writer is not None and writer["id"] == environment.session().id:
            return False
        if writer is not None and writer["place"] == environment.place():
            running = environment.is_running(writer["pid"], writer["process_started"])
            if running is not None:
                return not running
        return datetime.now(UTC) - submission.changed_at > _SILENCE

    def age(self, submission: Submission) -> float | None:
        """Return the seconds since the last change of a submission; None where nobody can tell.

        The wall clock may have been set since, so it is not asked: the uptime of this machine is, as long as
        it is of the same start.
        """
        writer, seconds = self._book.session(submission.session), environment.uptime()
        if writer is None or seconds is None or submission.uptime is None:
            return None
        return seconds - submission.uptime if writer["place"] == environment.place() else None

    def frame(self) -> pd.DataFrame:
        """Return a row per submission in its latest state, oldest first.

        One that was rejected or not sent is left out once its title was planned again; `events` has it.

        Returns
        -------
        pandas.DataFrame
            The columns of `astria_nb.rows.tune_frame`, and ``submission, service, state, planned_at,
            problem``. What made no tune has no ``id``.
        """
        from astria_nb.log import frames

        return frames.submissions(self._book)

    def events(self) -> pd.DataFrame:
        """Return a row per thing that happened, in order.

        Returns
        -------
        pandas.DataFrame
            ``id, at, kind, submission, session, service, title, tune_id, attempt, state, fingerprint, reply,
            problem``; times in UTC, ``reply`` as JSON text.
        """
        from astria_nb.log import frames

        return frames.events(self._book)

    def diff(self, a: int, b: int) -> pd.DataFrame:
        """Return where the requests of two submissions differ, a row per field.

        Parameters
        ----------
        a, b : int
            Ids, as in the column ``submission`` of `frame`.

        Returns
        -------
        pandas.DataFrame
            ``field, a, b``: text; lists as JSON; null where a side has no such field.

        Raises
        ------
        KeyError
            There is no submission of such an id.
        """
        from astria_nb.log import frames

        return frames.differences_frame(differences(self.get(a).request, self.get(b).request))

    def export(self, path: str | os.PathLike[str]) -> Path:
        """Write `frame` to a file, whole or not at all, and return its path.

        Parameters
        ----------
        path : path
            ``.parquet``, or ``.csv``: there, text that a spreadsheet would run as a formula begins with an
            apostrophe.

        Raises
        ------
        LogError
            The file cannot be written, or has another suffix.
        """
        from astria_nb.log import export

        found = to_path(path)
        if found is None:
            raise LogError(
                Problem("path", f"{short(path)} is no possible path", "give one like 'runs.parquet'")
            )
        return export.write(self.frame, found)

    def prune(self, before: datetime) -> int:
        """Forget settled submissions, and return how many.

        A title that is forgotten may be sent, and paid, once more. What is not settled or needs review
        stays.

        Parameters
        ----------
        before : datetime
            With a time zone. Only what has not changed since then goes.
        """
        if not isinstance(before, datetime) or before.tzinfo is None:
            what = "has no time zone" if isinstance(before, datetime) else f"{short(before)} is no time"
            raise LogError(Problem("before", what, "write it like datetime(2026, 1, 1, tzinfo=UTC)"))
        return self._book.prune(before)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with _opening:
            book, self._opened = self._opened, None
        if book is not None:
            book.close()

    def _seal(self) -> None:
        from astria_nb.log import frames

        frames.seal(self._book)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._path)!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self._path, "timeout": self._timeout}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Log.__init__(self, state["path"], timeout=state["timeout"])

    @property
    def _book(self) -> Book:
        if (book := self._opened) is None:
            from astria_nb.log.database import Book

            with _opening:
                book = self._opened = self._opened or Book(self._path, self._timeout)
        return book
