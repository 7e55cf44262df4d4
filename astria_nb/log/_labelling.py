"""Tags, notes, and hiding: the methods of a log that label submissions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from astria_nb.log._reader import LogReader
from astria_nb.log._states import Labels, Submission
from astria_nb.utils.interrupts import shield


class LogLabels(LogReader):
    """The methods of `astria_nb.log.Log` that label submissions; parameters as there.

    In each method, `submission` is the number in the column ``submission`` of `frame`, several numbers, or
    rows from `frame`, `astria_nb.submit`, `astria_nb.wait` or ``form.row``, in any form that
    `astria_nb.rows.typed` reads. Either all submissions are labelled or none.
    """

    @shield
    def tag(self, submission: object, *tags: str) -> None:
        """Add tags to submissions. An existing tag keeps its position.

        Parameters
        ----------
        submission : int, Submission, DataFrame or iterable
            As described for the class: a submission's number, several, or rows.
        *tags : str
            Each a line of at most 100 characters.

        Raises
        ------
        TuneError
            A tag is not a short line of text, or the rows are not tunes.
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
            As in `tag`. A tag that a submission does not have is not an error.
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
        """Write a note about submissions, replacing the previous one, which `events` still lists.

        Parameters
        ----------
        submission : int, Submission, DataFrame or iterable
            As in `tag`.
        text : str or None
            At most 10,000 characters. Empty text or None removes the note.

        Raises
        ------
        TuneError
            The note is not text, or the rows are not tunes.
        LogError
            The log has no such submission.

        Examples
        --------
        As for `tag`.
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
            The rows are not tunes.
        LogError
            The log has no such submission, or its outcome is not known: it may have been paid for.

        Examples
        --------
        >>> import astria_nb as anb
        >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
        >>> log = anb.ExperimentLog()
        >>> with anb.Sandbox() as sandbox:
        ...     row = anb.submit(tune, sandbox.client(), log=log)
        >>> log.hide(row)
        >>> len(log.frame(hidden=True)) - len(log.frame())
        1
        >>> log.unhide(row)
        """
        self._label(submission, "hide", lambda now: replace(now, hidden=True))

    @shield
    def unhide(self, submission: object) -> None:
        """Show submissions again after `hide`.

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
    def mark_deleted(
        self, service: str, tune_id: int, account: str | None = None, *, is_confirmed: bool = True
    ) -> bool:
        """Record that a tune was deleted from the service, if this log has it. Its title stays taken.

        Parameters
        ----------
        service : str
            The service's URL.
        tune_id : int
        account : str, optional
            As in `find`.
        is_confirmed : bool
            False if it is only known that the account has no such tune: then the log must have recorded it
            for this account.

        Returns
        -------
        bool
            Whether this log has the tune.
        """
        submission = self.of_tune(service, tune_id, account)
        if submission is None or submission.tune_id != tune_id:
            return False
        if not is_confirmed and submission.request.account != account:
            return False
        reply, reason = {"id": tune_id, "status": "deleted"}, "deleted by its owner"
        self._database.record_event("delete", submission, tune_id, None, reply, reason)
        return True

    @shield
    def recorded(self, row: Mapping[Any, Any]) -> tuple[Submission | None, Labels]:
        """Return the submission of a row in this log, or None, and its labels.

        Parameters
        ----------
        row : mapping
            A row of a typed frame.

        Returns
        -------
        submission : Submission or None
        labels : Labels
        """
        from astria_nb.log import _naming as naming

        numbers = naming.numbers_of_row(self._database, row) if self.exists() else []
        if len(numbers) != 1:
            return None, Labels()
        return self._database.get(numbers[0]), self._database.labels_of(numbers[0])

    @shield
    def named(self, submission: object) -> list[Submission]:
        """Return the submissions that an argument names, in its order.

        Parameters
        ----------
        submission : int, Submission, DataFrame or iterable
            As in `tag`.

        Raises
        ------
        TuneError, LogError
            As in `tag`.
        """
        from astria_nb.log import _naming as naming

        submissions = map(self._database.get, naming.numbers(self._database, submission))
        return [one for one in submissions if one is not None]

    def _label(
        self, submission: object, kind: str, change: Callable[[Labels], Labels], **reply: object
    ) -> None:
        from astria_nb.log import _naming as naming

        numbers = naming.numbers(self._database, submission)
        self._database.label(numbers, kind, change, reply or None)
        self._warn_of_rewritten_file()


def _joined(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
