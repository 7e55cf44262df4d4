"""A notice about submissions of an earlier kernel with unknown outcome, with a button to look them up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import monotonic

import ipywidgets as widgets
from markupsafe import Markup

from astria_nb.client import Client
from astria_nb.errors import AstriaError, LogError, Problem
from astria_nb.form.fields import controls
from astria_nb.log import Log, Submission
from astria_nb.submission import is_left_open, recover
from astria_nb.utils import background

_SECONDS = 10
_OUTCOMES = {
    "done": "was submitted",
    "adopted": "was found on the account",
    "not_sent": "was not sent",
    "rejected": "was rejected",
    "needs_review": "was not found; it needs your review",
}


class RecoveryNotice(controls.HBox):
    """A line that names the unsettled submissions; hidden if there are none or the log cannot be read.

    Parameters
    ----------
    log : Log
    client : Client
    """

    def __init__(self, log: Log, client: Client) -> None:
        self._log, self._client = log, client
        self._text = controls.HTML(layout={"flex": "1 1 240px"})
        self._button = controls.Button(description="Look them up", layout=widgets.Layout(width="auto"))
        self._button.on_click(lambda _: background.start(self._recover))
        super().__init__([self._button, self._text], layout=widgets.Layout(width="100%"))
        self._log_problem: Problem | None = None
        self._file: object = None  # the file's state when that problem was found
        self._show_unsettled()

    def log_problem(self) -> Problem | None:
        """Return why nothing can be recorded in the log, or None. A changed file is read again."""
        if self._log_problem is not None and self._file != _state_of(self._log):
            self._show_unsettled()
        return self._log.find_problem() or self._log_problem

    def _show_unsettled(self) -> None:
        self._log_problem, self._file = None, _state_of(self._log)
        try:
            service, account = self._client.service, self._client.known_account
            unsettled = self._log.unsettled(service, account) if self._log.exists() else []
            unsettled = [entry for entry in unsettled if is_left_open(self._log, entry)]
        except AstriaError as error:
            if isinstance(error, LogError) and error.problems[0].kind != "conflict":  # it is not just busy
                self._log_problem = error.problems[0]
            self._show("" if self._log_problem else str(error), button=False)
        else:
            text = f"Submitted with unknown outcome: {_titles(unsettled)}" if unsettled else ""
            self._show(text, button=bool(unsettled))

    def _recover(self) -> None:
        self._button.disabled = True
        try:
            settled = recover(self._log, self._client, report=lambda _, text: self._show(text))
        except AstriaError as error:
            self._show(str(error))
        else:
            self._show(", ".join(map(_outcome, settled)) or "Every outcome is known", button=False)
        finally:
            self._button.disabled = False

    def _show(self, text: str, *, button: bool = True) -> None:
        self._text.value = Markup("<span>{}</span>").format(text)
        self._button.layout.display = None if button else "none"
        self.layout.display = None if text else "none"


def _state_of(log: Log) -> object:
    if not isinstance(log.path, Path):  # a server is queried again after some seconds
        return monotonic() // _SECONDS
    try:
        status = log.path.stat()
    except OSError as error:
        return error.errno
    return status.st_ino, status.st_size, status.st_mtime_ns


def _title(submission: Submission) -> str:
    return submission.title or "a run on existing tunes"


def _outcome(submission: Submission) -> str:
    return f"{_title(submission)} {_OUTCOMES.get(submission.state, submission.state)}"


def _titles(submissions: Sequence[Submission]) -> str:
    return ", ".join(map(_title, submissions))
