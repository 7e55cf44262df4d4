"""Reading a log as frames and files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from astria_nb.errors import LogError, Problem, TuneError
from astria_nb.log import _returns as returns
from astria_nb.log._log_file import LogFile
from astria_nb.log._submission_reader import SubmissionReader
from astria_nb.log._times import check_limit
from astria_nb.tune import differences
from astria_nb.utils.arguments import check_bool, check_names, to_path
from astria_nb.utils.formatting import short
from astria_nb.utils.interrupts import shield, shielded

if TYPE_CHECKING:
    import pandas as pd


class LogReader(SubmissionReader):
    """The methods of `astria_nb.log.Log` that read the whole log; parameters as there."""

    @shield
    def frame(
        self,
        *,
        columns: Sequence[str] | None = None,
        since: datetime | None = None,
        tag: str | None = None,
        service: str | None = None,
        hidden: bool = False,
    ) -> pd.DataFrame:
        """Return a row per submission in its latest state, oldest first.

        A submission that was rejected or not sent is omitted once its title was planned again; `events` still
        lists it. In a long log, reading a few rows or columns is faster from the second call on.

        Parameters
        ----------
        columns : sequence of str, optional
            Only these columns, in this order. Default: all.
        since : datetime, optional
            With a time zone. Only submissions that were planned at that time or later. ``NaT``, as the latest
            time in an empty frame, means no limit.
        tag : str, optional
            Only submissions with this tag.
        service : str, optional
            Only submissions to this service: its address, or a value of the column.
        hidden : bool
            Also include submissions hidden by `hide`; the column ``hidden`` marks them.

        Returns
        -------
        pandas.DataFrame
            The columns of `astria_nb.rows.tune_frame`, and ``submission, service, account, state,
            planned_at, problem, tags, note, hidden``. A submission without a tune has no ``id``; one without
            tags has an empty list. Without a log, the frame is empty. Expiry is determined by the clock of
            the service.

        Raises
        ------
        TuneError
            `tag` or `service` is not text, or is blank, or one of `columns` does not exist.
        LogError
            `since` is not a time with a time zone.

        Examples
        --------
        >>> import tempfile, astria_nb as anb
        >>> folder = tempfile.TemporaryDirectory()
        >>> log = anb.ExperimentLog(f"{folder.name}/log.sqlite")
        >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
        >>> with anb.Sandbox() as sandbox:
        ...     row = anb.submit(tune, sandbox.client(), log=log)
        >>> log.frame(columns=["title", "state"]).to_dict("records")
        [{'title': 't', 'state': 'done'}]
        >>> log.close(); folder.cleanup()
        """
        is_hidden_wanted = check_bool("hidden", hidden)
        names = None if columns is None else check_names("columns", columns)
        planned_since = check_limit("since", since)
        selection: dict[str, object] = {"tag": tag, "service": service}
        for field, value in selection.items():
            if value is not None and not (isinstance(value, str) and value.strip()):
                hint = "give text, or leave it out"
                raise TuneError(Problem(field, f"{short(value)} is not a {field}", hint))
        from astria_nb.log import _frames as frames

        if self._opened is None and not self.exists():
            return frames.no_submissions(names)
        wanted = frames.Selection(names, planned_since, tag, service, is_hidden_wanted)
        frame = frames.submissions(self._database, wanted)
        self._warn_of_rewritten_file()
        return frame

    @shield
    def events(self, *, since: datetime | None = None, until: datetime | None = None) -> pd.DataFrame:
        """Return a row per event, in order.

        Parameters
        ----------
        since, until : datetime, optional
            With a time zone. Only events at or after `since` and before `until`. ``NaT`` means no limit.

        Returns
        -------
        pandas.DataFrame
            ``id, at, kind, submission, session, service, title, tune_id, attempt, state, fingerprint, reply,
            problem``; times in UTC, ``reply`` as JSON text.

        Raises
        ------
        LogError
            One of the times has no time zone, or the log cannot be read.

        Notes
        -----
        In a file, a damaged reply is reported. Unlike in `frame`, the other columns have no checksum.

        Examples
        --------
        >>> import astria_nb as anb
        >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
        >>> log = anb.ExperimentLog()
        >>> with anb.Sandbox() as sandbox:
        ...     row = anb.submit(tune, sandbox.client(), log=log)
        >>> log.events()["state"].tail(3).tolist()
        ['planned', 'sending', 'done']
        """
        from astria_nb.log import _event_frames as event_frames

        first, end = check_limit("since", since), check_limit("until", until)
        returns.record()
        frame = event_frames.frame(self._database, first, end)
        self._warn_of_rewritten_file()
        return frame

    def iter_events(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[pd.DataFrame]:
        """Yield `events` in frames of some thousand rows, for logs of any size with little memory.

        Parameters
        ----------
        since, until : datetime, optional
            As in `events`.

        Yields
        ------
        pandas.DataFrame
            The next events, in order; events that are recorded meanwhile come last.

        Examples
        --------
        >>> import tempfile, astria_nb as anb
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     log = anb.ExperimentLog(f"{folder}/log.sqlite")
        ...     log.record_event("replay")
        ...     print(sum(len(frame) for frame in log.iter_events()))
        ...     log.close()
        1
        """
        first, end = check_limit("since", since), check_limit("until", until)
        shielded(returns.record)
        after = 0
        while (frame := self._events_after(after, first, end)) is not None:
            after = int(frame["id"].iloc[-1])
            yield frame

    @shield
    def _events_after(
        self, after: int, since: datetime | None, until: datetime | None
    ) -> pd.DataFrame | None:
        from astria_nb.log import _event_frames as event_frames

        return event_frames.page(self._database, after, since, until)

    @shield
    def copy_to(self, other: LogFile | str | os.PathLike[str]) -> int:
        """Copy all of this log into another one: from a file to a server, back, or to another file.

        Submissions with their requests, tunes and labels, all events, and the processes that wrote them are
        copied in one transaction: all or nothing. In an empty log, the numbers stay the same. Otherwise new
        submissions get new numbers, and submissions in both logs are merged, so that the call can be
        repeated: nothing is duplicated, changes since the last copy are applied, and a recorded tune is never
        removed. For the service's data about a tune, and for labels, the latest counts. This log is not
        changed.

        Parameters
        ----------
        other : ExperimentLog, str or path
            A log, or its place: a file's path or ``postgresql://…``. Created if it does not exist.

        Returns
        -------
        int
            The number of submissions that are new there, or have changed there.

        Raises
        ------
        LogError
            One of the logs cannot be used, `other` is this log, or the logs have different submissions with
            the same title, which may both exist on the service, or different tunes of one submission. Nothing
            was copied.

        Examples
        --------
        >>> import tempfile, astria_nb as anb
        >>> folder = tempfile.TemporaryDirectory()
        >>> log = anb.ExperimentLog(f"{folder.name}/log.sqlite")
        >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
        >>> with anb.Sandbox() as sandbox:
        ...     row = anb.submit(tune, sandbox.client(), log=log)
        >>> shared = anb.ExperimentLog(f"{folder.name}/shared.sqlite")  # or "postgresql://…"
        >>> log.copy_to(shared), log.copy_to(shared)
        (1, 0)
        >>> shared.frame().equals(log.frame())
        True
        >>> log.close(); shared.close(); folder.cleanup()
        """
        from astria_nb.log import _copying as copying

        target = other if isinstance(other, LogFile) else type(self)(other)
        if target.path == self.path or _is_same_file(target.path, self.path):
            raise LogError(Problem("other", "is this log itself", "give another file or database"))
        returns.record()
        copied = copying.copy(self._database, target._database)
        if target is not other:
            target.close()
        return copied

    @shield
    def diff(self, a: object, b: object) -> pd.DataFrame:
        """Return the differences between the requests of two submissions, a row per field.

        Parameters
        ----------
        a, b : int, DataFrame, Series or mapping
            Each a number from the column ``submission`` of `frame`, or one row, as in `tag`.

        Returns
        -------
        pandas.DataFrame
            ``field, a, b``: text; lists as JSON; null if a request has no such field.

        Raises
        ------
        LogError
            There is no such submission. The error is also a `KeyError`.
        TuneError
            One of them is neither a number nor one row.

        Examples
        --------
        >>> import astria_nb as anb
        >>> log, photos = anb.ExperimentLog(), ["https://example.com/1.jpg"]
        >>> with anb.Sandbox() as sandbox:
        ...     for name in ("cat", "dog"):
        ...         tune = anb.Tune(pack=797, title=f"a {name}", name=name, image_urls=photos)
        ...         row = anb.submit(tune, sandbox.client(), log=log)
        >>> first, second = log.frame()["submission"][-2:]
        >>> log.diff(first, second).values.tolist()
        [['title', 'a cat', 'a dog'], ['name', 'cat', 'dog']]
        """
        from astria_nb.log import _frames as frames

        return frames.differences_frame(differences(self.get(a).request, self.get(b).request))

    @shield
    def export(
        self,
        path: str | os.PathLike[str],
        *,
        tag: str | None = None,
        service: str | None = None,
        hidden: bool = False,
    ) -> Path:
        """Write `frame` to a file, completely or not at all, and return its path.

        Parameters
        ----------
        path : str or path
            Ends in ``.parquet`` or ``.csv``. In a CSV file, text that a spreadsheet would evaluate as a
            formula is prefixed with an apostrophe.
        tag, service, hidden : optional
            As in `frame`.

        Returns
        -------
        Path

        Raises
        ------
        LogError
            The file cannot be written, or has another suffix.

        Examples
        --------
        >>> import tempfile, astria_nb as anb
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     anb.ExperimentLog().export(f"{folder}/runs.csv").name
        'runs.csv'
        """
        from astria_nb.log import _export as export

        try:
            target = to_path(path)
        except OSError:  # no working directory
            target = None
        if target is None:
            what, hint = f"{short(path)} is not a valid path", "give one like '/home/me/runs.parquet'"
            raise LogError(Problem("path", what, hint))
        return export.write(lambda: self.frame(tag=tag, service=service, hidden=hidden), target)


def _is_same_file(a: object, b: object) -> bool:
    try:
        return isinstance(a, Path) and isinstance(b, Path) and a.samefile(b)
    except OSError:  # one of them does not exist yet
        return False
