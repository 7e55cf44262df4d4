"""Submitting the draft of a form: by its button, which asks before a repeat, or from code."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from astria_nb.client import Client
from astria_nb.defaults import is_sandbox
from astria_nb.errors import AstriaError, LogError, Problem, TuneError
from astria_nb.form._draft import Draft
from astria_nb.form._repeat_question import RepeatQuestion
from astria_nb.form._review import Review
from astria_nb.form._submit_bar import SubmitBar
from astria_nb.form.progress import SubmissionPanel
from astria_nb.log import Log
from astria_nb.submission import PACK_MAX_AGE_SECONDS, Repeat, RepeatedRequest, SubmitOptions
from astria_nb.tune import Encoding
from astria_nb.utils import background
from astria_nb.utils.interrupts import in_caller, shielded


class Submitter:
    """Submits the draft of a form.

    Parameters
    ----------
    client : Client
        The form's; the button submits with it.
    log : Log
    max_cost : float or None
        US dollars.
    draft : Draft
    panel : SubmissionPanel
    submit_bar : SubmitBar
    review : callable
        Returns a `Review` of the draft as it is.
    update : callable
        Brings the form in line with the draft and the submissions.

    Attributes
    ----------
    question : RepeatQuestion
    """

    def __init__(
        self,
        client: Client,
        log: Log,
        max_cost: float | None,
        draft: Draft,
        panel: SubmissionPanel,
        submit_bar: SubmitBar,
        review: Callable[[], Review],
        update: Callable[[], None],
    ) -> None:
        self._client, self._log, self._max_cost, self._draft = client, log, max_cost, draft
        self._panel, self._submit_bar, self._review, self._update = panel, submit_bar, review, update
        self.question = RepeatQuestion(
            lambda: self.start("send"), lambda: self.start("return"), submit_bar.focus
        )

    def start(self, repeat: Repeat = "ask") -> None:
        """Submit in the background, unless a submission is under way."""
        if self._panel.state.phase != "sending":
            self._submit_bar.disable()
            self.question.hide()
            background.start(self._run, repeat)

    def submit(self, client: Client, encoding: Encoding | None, repeat: Repeat) -> pd.DataFrame:
        """Submit, and return the row.

        Parameters
        ----------
        client : Client
        encoding : {"multipart", "form", "json"} or None
            None: the form's.
        repeat : {"announce", "return", "ask", "send"}
            As in `SubmitOptions`.

        Raises
        ------
        AstriaError
            As `TuneForm.submit` documents.
        RepeatedRequest
            The same was sent before, and the user is to be asked.
        """
        try:
            # The form keeps the row before it is returned: an interrupt may hide it, but not lose it.
            return shielded(self._submit, client, encoding, repeat)
        finally:
            self._update()

    def _run(self, repeat: Repeat) -> None:
        try:
            self.submit(self._client, None, repeat)
            if repeat == "return":  # the pressed button is hidden by now
                self._submit_bar.focus()
        except RepeatedRequest as request:
            price = "" if is_sandbox(self._client) else str(self._review().estimate or "")
            self.question.ask(request.earlier, request.text, price)
        except AstriaError:
            pass  # the form shows it
        except Exception as error:
            what = f"failed ({type(error).__name__}: {error})"
            self._panel.state.fail([Problem("form", what, "please report it")])
            self._update()
            raise

    def _submit(self, client: Client, encoding: Encoding | None, repeat: Repeat) -> pd.DataFrame:
        with self._panel.state.sending():
            # What may hold the draft's lock, or call the user's observers, runs where it was called.
            review = in_caller(self._review)()
            if review.tune is None or review.problems:
                is_ready = all(problem.field == "log" for problem in review.problems)
                raise (LogError if is_ready else TuneError)(*review.problems)
            if (row := self._panel.state.row_of(review.tune.title)) is not None:
                return row
            self._panel.state.start()
            self._panel.upload.show_start()
            if repeat == "send":  # as above
                self._panel.upload.focus()
            in_caller(self._update)()
            return self._panel.send(review.tune, self._options(client, encoding, repeat))

    def _options(self, client: Client, encoding: Encoding | None, repeat: Repeat) -> SubmitOptions:
        return SubmitOptions(
            client=client,
            log=self._log,
            observer=self._panel.upload,
            encoding=self._draft.encoding if encoding is None else encoding,
            preprocessing=self._draft.switches.preprocessing,
            max_cost=self._max_cost,
            repeat=repeat,
            warns=repeat in ("announce", "return"),  # by code: the form may not be in sight
            # Another client's service may have another pack under this id.
            pack=self._draft.pack.recent(PACK_MAX_AGE_SECONDS) if client is self._client else None,
        )
