"""Submission of a form's draft: by its button, which asks before a repeat, or from code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from astria_nb.client import Client
from astria_nb.defaults import is_sandbox
from astria_nb.errors import AstriaError, CancelledError, LogError, Problem, TuneError
from astria_nb.form._draft import Draft
from astria_nb.form._listed_tune import ListedTune
from astria_nb.form._repeat_question import RepeatQuestion
from astria_nb.form._review import Review
from astria_nb.form._submit_bar import SubmitBar
from astria_nb.form._tune_list import TuneList
from astria_nb.form.progress import SubmissionPanel
from astria_nb.log import Log
from astria_nb.submission import PACK_MAX_AGE_SECONDS, Repeat, RepeatedRequest, SubmitOptions
from astria_nb.tune import Encoding, Tune
from astria_nb.utils import background
from astria_nb.utils.interrupts import in_caller, shielded

if TYPE_CHECKING:
    import pandas as pd

_LIST = Problem("form", "sends what is filled in, not the tunes in its list", "press Submit to send those")


class Submitter:
    """Submits the draft of a form.

    Parameters
    ----------
    client : Client
        The form's client; the button submits with it.
    log : Log
    max_cost : float or None
        US dollars.
    draft : Draft
    panel : SubmissionPanel
    submit_bar : SubmitBar
    review : callable
        Returns a `Review` of the current draft.
    update : callable
        Updates the form after changes of the draft and the submissions; takes a review that was just made.
    tune_list : TuneList
        Sent before the draft.
    add : callable
        Adds the draft to the list.

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
        update: Callable[..., None],
        tune_list: TuneList,
        add: Callable[[], None],
    ) -> None:
        self._list, self._add = tune_list, add
        self._asked: ListedTune | None = None
        self._client, self._log, self._max_cost, self._draft = client, log, max_cost, draft
        self._panel, self._submit_bar, self._review, self._update = panel, submit_bar, review, update
        self.question = RepeatQuestion(
            lambda: self.start("send"), lambda: self.start("return"), submit_bar.focus
        )
        self.question.layout.observe(lambda _: tune_list.show_notes(), "display")

    @property
    def asked(self) -> ListedTune | None:
        """The tune in the list that an open question is about."""
        return self._asked if self.question.is_open else None

    def start(self, repeat: Repeat = "ask") -> None:
        """Submit in the background, unless a submission is in progress."""
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
            None: the form's encoding.
        repeat : {"announce", "return", "ask", "send"}
            As in `SubmitOptions`.

        Raises
        ------
        AstriaError
            As `TuneForm.submit` documents.
        RepeatedRequest
            The same request was sent before, and the user has to be asked.
        """
        try:
            # The form keeps the row before it is returned: an interrupt may hide it, but not lose it.
            return shielded(self._submit, client, encoding, repeat)
        finally:
            self._update()

    def _run(self, repeat: Repeat) -> None:
        try:
            if self._list.tunes:
                self._run_list(repeat)
            else:
                self._asked = None
                self.submit(self._client, None, repeat)
            if repeat == "return":  # the pressed button is hidden by now
                self._submit_bar.focus()
        except RepeatedRequest as request:
            estimate = self._review().estimate if self._asked is None else self._asked.price
            price = "" if is_sandbox(self._client) else str(estimate or "")
            self.question.ask(request.earlier, request.text, price)
        except AstriaError:
            pass  # the form shows the error
        except Exception as error:
            what = f"failed ({type(error).__name__}: {error})"
            self._panel.state.fail([Problem("form", what, "please report it")])
            self._update()
            raise

    def _run_list(self, repeat: Repeat) -> None:
        """Send the tunes in the list, and then the draft; sent tunes are removed from the list.

        Raises
        ------
        RepeatedRequest
            The next request was sent before, and the user has to be asked.
        """
        if not self._draft.is_blank:
            self._add()
        tunes, upload, failed = self._list.tunes, self._panel.upload, 0
        asked, self._asked = self._asked, None
        try:
            with self._panel.state.sending():  # for all tunes: a second click must not interfere
                upload.begin()
                try:
                    for number, listed in enumerate(tunes, 1):
                        if upload.is_cancelled:
                            break
                        upload.place = number, len(tunes)
                        failed += not self._send_listed(listed, repeat if listed is asked else "ask")
                finally:
                    upload.place = (1, 1)
                    self._show_result(len(tunes), failed)
        finally:
            self._update()

    def _send_listed(self, listed: ListedTune, repeat: Repeat) -> bool:
        """Send a tune from the list unless it was removed; return False if it failed, as its line says."""
        if not self._list.begin_sending(listed):
            return True
        is_sent = False
        try:
            if listed.tune is None:
                listed.check()
            if listed.tune is None:
                return False  # its line says what is wrong
            shielded(self._submit_listed, listed, listed.tune, repeat)
            is_sent = True
        except RepeatedRequest:
            self._asked = listed
            raise
        except CancelledError:
            pass
        except AstriaError as error:
            listed.problems = error.problems
            return False
        finally:
            self._list.end_sending(is_sent=is_sent)
        return True

    def _submit_listed(self, listed: ListedTune, tune: Tune, repeat: Repeat) -> None:
        state = self._panel.state
        if state.has_other(tune.title, tune):
            hint = "press Edit, and New for a fresh one"
            raise TuneError(Problem("title", "was sent with other fields", hint, kind="conflict"))
        if state.row_of(tune.title) is not None:
            return
        listed.problems = ()
        state.start()
        self._panel.upload.show_start()
        in_caller(self._update)()
        options = replace(
            self._options(self._client, None, repeat),
            encoding=listed.encoding,
            preprocessing=listed.preprocessing,
            pack=None,  # each may have a different one
            shown=listed.price,
            on_pack=listed.price_by,
        )
        self._panel.send(tune, options)

    def _show_result(self, count: int, failed: int) -> None:
        """Show the outcome of sending a number of tunes, unless the user has to be asked about one."""
        problems, left = [], len(self._list.tunes)
        if failed:
            what = f"failed for {failed} of {count} tunes" if count > 1 else "failed"
            hint = "see why in the list, and press Submit again: nothing is sent twice"
            problems.append(Problem("form", what, hint))
        if self._panel.upload.is_cancelled and left > failed:
            what = f"was cancelled: {left - failed} of {count} tunes were not sent"
            problems.append(Problem("form", what, "press Submit to send the rest"))
        if problems:
            self._panel.state.fail(problems)
        elif count > 1 and not left:
            self._panel.upload.show_sent(count)

    def _submit(self, client: Client, encoding: Encoding | None, repeat: Repeat) -> pd.DataFrame:
        with self._panel.state.sending():
            # Code that may hold the draft's lock, or call the user's observers, runs on the calling thread.
            review = in_caller(self._review)()
            if review.tune is None or review.problems:
                is_ready = all(problem.field == "log" for problem in review.problems)
                is_list = bool(self._list.tunes) and self._draft.is_blank
                raise (LogError if is_ready else TuneError)(*review.problems, *[_LIST] * is_list)
            if (row := self._panel.state.row_of(review.tune.title)) is not None:
                return row
            options = self._options(client, encoding, repeat)
            if client is self._client:
                options = replace(options, shown=review.estimate, on_pack=self._draft.pack.renew)
            self._panel.state.start()
            self._panel.upload.begin()
            self._panel.upload.show_start()
            if repeat == "send":  # as above
                self._panel.upload.focus()
            in_caller(self._update)(review)
            return self._panel.send(review.tune, options)

    def _options(self, client: Client, encoding: Encoding | None, repeat: Repeat) -> SubmitOptions:
        # Another client's service may have another pack under this id; a limit needs the current price.
        uses_shown_pack = client is self._client and self._max_cost is None
        return SubmitOptions(
            client=client,
            log=self._log,
            observer=self._panel.upload,
            encoding=self._draft.encoding if encoding is None else encoding,
            preprocessing=self._draft.switches.preprocessing,
            max_cost=self._max_cost,
            repeat=repeat,
            warns=repeat in ("announce", "return"),  # called from code: the form may not be visible
            pack=self._draft.pack.recent(PACK_MAX_AGE_SECONDS) if uses_shown_pack else None,
        )
