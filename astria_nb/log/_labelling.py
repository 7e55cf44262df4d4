"""Tags, notes, and hiding: the methods of a log by which its owner says something about a submission."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from astria_nb.errors import LogError, Problem, TuneError
from astria_nb.log._reader import LogReader
from astria_nb.log._states import Labels, Submission
from astria_nb.utils.arguments import parse_id
from astria_nb.utils.interrupts import shield

_HINT = "choose one of log.frame(hidden=True)['submission']"


class LogLabels(LogReader):
    """The methods of `astria_nb.log.Log` that label submissions; parameters as there.

    In each of them, `submission` is the number in the column ``submission`` of `frame`, several of them, or
    rows: of `frame`, of `astria_nb.submit` or `astria_nb.wait`, or ``form.row``, in any form that
    `astria_nb.rows.typed` reads. Of several submissions, all are labelled or none.
    """

    @shield
    def tag(self, submission: object, *tags: str) -> None:
        """Add tags to submissions. One that is there already stays where it is.

        Parameters
        ----------
        submission : int, Submission, DataFrame or iterable
            As described for the class: a submission's number, several, or rows.
        *tags : str
            Each a line of at most 100 characters.

        Raises
        ------
        TuneError
            A tag is no short line of text, or the rows are no tunes.
        LogError
            The log has no such submission.

        Examples
        --------
        >>> import tempfile, astria_nb as anb
        >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
        >>> with anb.Sandbox() as sandbox, tempfile.TemporaryDirectory() as folder:
        ...     log = anb.ExperimentLog(f"{folder}/log.sqlite")
        ...     row = anb.submit(tune, sandbox.client(), log=log)
        ...     log.tag(row, "good likeness", "client A")
        ...     log.note(row, "the second photo is blurred")
        ...     frame = log.frame(tag="client A")
        ...     log.close()
        >>> list(frame.loc[0, "tags"]), frame.loc[0, "note"]
        (['good likeness', 'client A'], 'the second photo is blurred')
        """
        from astria_nb.log import _labels as labels

        checked = labels.check_tags(tags)
        self._label(
            submission, "tag", lambda now: replace(now, tags=_joined(now.tags, checked)), tags=checked
        )

    @shield
    def untag(self, submission: object, *tags: str) -> None:
        """Remove tags from submissions; `events` still lists them.

        Parameters
        ----------
        submission : int, Submission, DataFrame or iterable
            As in `tag`.
        *tags : str

        Raises
        ------
        TuneError, LogError
            As in `tag`. A tag that a submission does not have is no error.
        """
        from astria_nb.log import _labels as labels

        checked = labels.check_tags(tags)
        self._label(
            submission,
            "untag",
            lambda now: replace(now, tags=tuple(tag for tag in now.tags if tag not in checked)),
            tags=checked,
        )

    @shield
    def note(self, submission: object, text: str | None) -> None:
        """Write a note about submissions, in place of the one they had; `events` still lists that.

        Parameters
        ----------
        submission : int, Submission, DataFrame or iterable
            As in `tag`.
        text : str or None
            At most 10,000 characters. Empty text or None removes the note.

        Raises
        ------
        TuneError
            The note is no text, or the rows are no tunes.
        LogError
            The log has no such submission.
        """
        from astria_nb.log import _labels as labels

        checked = labels.check_note(text)
        self._label(submission, "note", lambda now: replace(now, note=checked), note=checked)

    @shield
    def hide(self, submission: object) -> None:
        """Leave submissions out of `frame` and `export`, unless these are called with ``hidden=True``.

        Nothing is deleted: their titles stay taken, and `events` lists them.

        Parameters
        ----------
        submission : int, Submission, DataFrame or iterable
            As in `tag`.

        Raises
        ------
        TuneError
            The rows are no tunes.
        LogError
            The log has no such submission, or its outcome is not known: it may have been paid for.
        """
        self._label(submission, "hide", lambda now: replace(now, hidden=True))

    @shield
    def unhide(self, submission: object) -> None:
        """Take back what `hide` did.

        Parameters
        ----------
        submission : int, Submission, DataFrame or iterable
            As in `tag`.

        Raises
        ------
        TuneError, LogError
            As in `tag`.
        """
        self._label(submission, "unhide", lambda now: replace(now, hidden=False))

    @shield
    def mark_deleted(self, service: str, tune_id: int, account: str | None = None) -> bool:
        """Record that a tune was deleted from the service, if this log has it: its title stays taken.

        Parameters
        ----------
        service : str
            The service's URL.
        tune_id : int
        account : str, optional
            As in `find`.

        Returns
        -------
        bool
            Whether this log has the tune.
        """
        submission = self.of_tune(service, tune_id, account)
        if submission is None or submission.tune_id != tune_id:
            return False
        reply, reason = {"id": tune_id, "status": "deleted"}, "deleted by its owner"
        self._database.record_event("delete", submission, tune_id, None, reply, reason)
        return True

    @shield
    def recorded(self, row: Mapping[Any, Any]) -> tuple[Submission | None, Labels]:
        """Return what this log has of a row: its submission, or None, and its labels.

        Parameters
        ----------
        row : mapping
            Of a typed frame.

        Returns
        -------
        submission : Submission or None
        labels : Labels
        """
        numbers = self._numbers_of_row(row) if self.exists() else []
        if len(numbers) != 1:
            return None, Labels()
        return self._database.get(numbers[0]), self._database.labels_of(numbers[0])

    def _label(
        self, submission: object, kind: str, change: Callable[[Labels], Labels], **reply: object
    ) -> None:
        numbers = self._numbers(submission)
        self._database.label(numbers, kind, change, reply or None)
        self._tell()

    def _numbers(self, submission: object) -> list[int]:
        """Return the numbers of submissions, which are in this log."""
        from astria_nb import rows  # with pandas: a form, or a script that sends nothing, starts faster

        if (numbers := _as_numbers(submission)) is None:
            frame = rows.typed(submission)
            if rows.are_prompts(frame):
                hint = "pass the rows that submit or wait returned"
                raise TuneError(Problem("frame", "these are prompts, not tunes", hint))
            return [self._number_of_row(row) for row in frame.to_dict("records")]
        for number in numbers:
            if self._database.get(number) is None:
                of_tune = self._database.numbers_of(number, (), None, None)
                hint = (
                    f"tune {number} is submission {of_tune[0]}: pass that, or the row" if of_tune else _HINT
                )
                raise LogError(Problem("log", f"has no submission {number}", hint))
        return numbers

    def _number_of_row(self, row: Mapping[Any, Any]) -> int:
        numbers = self._numbers_of_row(row)
        if len(numbers) == 1:
            return numbers[0]
        name = "a run without a tune" if parse_id(row["id"]) is None else f"tune {row['id']}"
        if numbers:
            what = f"has {name} of several services: submissions {', '.join(map(str, numbers))}"
            raise LogError(Problem("log", what, "give the number of the one that you mean"))
        hint = f"{_HINT}, or open the log that recorded it"
        raise LogError(Problem("log", f"has no submission of {name}", hint))

    def _numbers_of_row(self, row: Mapping[Any, Any]) -> list[int]:
        """Return the submission of a row, or one of each service that may have it."""
        from astria_nb.rows import ids_in

        own, tune_id = parse_id(row.get("submission")), parse_id(row["id"])
        title = row["title"] if isinstance(row["title"], str) else None
        # Its number may be that of another log.
        recorded = None if own is None else self._database.get(own)
        if recorded is not None and (recorded.tune_id, recorded.title) == (tune_id, title):
            return [recorded.id]
        service, account = (
            row[name] if isinstance(row[name], str) else None for name in ("service", "account")
        )
        return self._database.numbers_of(tune_id, ids_in(row["prompt_ids"]), service, account)


def _as_numbers(value: object) -> list[int] | None:
    """Return the numbers that a value is or lists, or None if it is rows."""
    import pandas as pd

    if isinstance(value, Submission):
        return [value.id]
    if (number := parse_id(value)) is not None:
        return [number]
    # A column of another name has the ids of tunes, as everywhere.
    is_of_tunes = isinstance(value, pd.Series) and value.name != "submission"
    if is_of_tunes or isinstance(value, str | bytes | Mapping | pd.DataFrame):
        return None
    if hasattr(value, "columns") or not isinstance(value, Iterable):
        return None
    parts = list(value)
    numbers = [part.id if isinstance(part, Submission) else parse_id(part) for part in parts]
    return None if None in numbers else [number for number in numbers if number is not None]


def _joined(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
