"""The form that trains a tune."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Unpack, cast
from urllib.parse import urlsplit

import ipywidgets as widgets
import pandas as pd
import traitlets
from markupsafe import Markup

from astria_nb.client.client import Client
from astria_nb.defaults import client_or_default, is_sandbox, log_or_default
from astria_nb.errors import AstriaError, Problem, TuneError
from astria_nb.form.draft import Draft
from astria_nb.form.error_summary import ErrorSummary
from astria_nb.form.fields.base import WIDE
from astria_nb.form.problems import ProblemDisplay
from astria_nb.form.progress.panel import SubmissionPanel
from astria_nb.form.recovery_notice import RecoveryNotice
from astria_nb.form.request_view import RequestView
from astria_nb.form.review import Review, review
from astria_nb.form.saved_draft import SavedDraft, as_plain, asked_for
from astria_nb.form.static_html import form_html
from astria_nb.form.submit_bar import SubmitBar
from astria_nb.images.preprocessing import Preprocessing
from astria_nb.log import Log
from astria_nb.tune.encoding import Encoding
from astria_nb.tune.tune import Tune, TuneFields
from astria_nb.utils import background
from astria_nb.utils.stylesheet import stylesheet

_CSS = stylesheet(Path(__file__).with_name("form.css"))
_SETTLE_SECONDS = 2.0  # a service that answers at once is shown at once; a slow one holds nothing up


class TuneForm(widgets.VBox):
    """A form that trains a tune: pack, class, images, and a button.

    Parameters
    ----------
    client : Client, optional
        Default: your account if a key is configured, else the built-in sandbox; the form says which.
    log : ExperimentLog, optional
        Where submissions are recorded. Default as in `astria_nb.submit`.
    draft : str, optional
        Keeps what is filled in under this name, beside the log, in ``.astria_drafts``: it is there again when
        the cell is run again, or in another kernel, photos from your computer included. Only you may read it;
        a key is not written into it.
    max_cost : float, optional
        US dollars; what is estimated to cost more cannot be submitted.
    keep_metadata, max_side : optional
        What is done to photos before they are sent, as for `astria_nb.submit`; two switches of the form.
    **fields
        Any field of `Tune`, filled in from the start.

    Raises
    ------
    TypeError
        For a keyword that is no field; names the nearest one.

    Examples
    --------
    >>> import astria_nb as anb
    >>> with anb.Sandbox() as sandbox:
    ...     form = anb.TuneForm(sandbox.client(), pack=43, name="cat", title="t")
    ...     form.fill(image_urls=["https://example.com/1.jpg"])
    >>> form
    TuneForm(pack=43, name='cat', title='t', image_urls=1, status='ready')
    """

    tune = traitlets.Instance(Tune, allow_none=True)
    """The tune as it would be sent; None while something is missing or wrong."""
    valid = traitlets.Bool(False)
    """Whether the tune is whole, its pack is known and has the class, and its title is free."""
    status = traitlets.Unicode("incomplete")
    """``incomplete``, ``ready``, ``sending``, ``submitted`` or ``failed``."""
    row = traitlets.Instance(pd.DataFrame, allow_none=True)
    """The last submission's row; None before the first."""

    def __init__(
        self,
        client: Client | None = None,
        *,
        log: Log | None = None,
        draft: str | None = None,
        max_cost: float | None = None,
        keep_metadata: bool = False,
        max_side: int | None = None,
        **fields: Unpack[TuneFields],
    ) -> None:
        self.client = client_or_default(client)
        self._log = log_or_default(log)
        self._refused: list[Problem] = []
        self._max_cost = max_cost
        self._saved = SavedDraft(self._log.path.parent, draft) if draft is not None else None
        kept: dict[str, Any] = {"keep_metadata": keep_metadata, "max_side": max_side, **fields}
        kept |= self._saved.read() if self._saved is not None else {}
        preprocessing = Preprocessing(kept.pop("keep_metadata"), kept.pop("max_side"))
        self._request = RequestView(self.client.base_url)
        photos = None if self._saved is None else self._saved.photos
        self._draft = Draft(self.client, preprocessing, self._edited, self._request, photos)
        self._problem_display = ProblemDisplay(self._draft.fields, self._draft.reveal)
        self._error_summary = ErrorSummary(self._draft.reveal)
        self._panel = SubmissionPanel(self._log, self.client, lambda row: self.set_trait("row", row))
        self._submit_bar = SubmitBar(is_sandbox(self.client), self._clicked)
        self._recovery = RecoveryNotice(self._log, self.client)
        super().__init__(
            [
                widgets.HTML(f"<style>{_CSS}</style>", layout=widgets.Layout(display="none")),
                self._head(),
                self._error_summary,
                *self._draft.view,
                self._recovery,
                self._submit_bar,
                self._panel,
            ],
            layout=WIDE,
        )
        self.add_class("astria-form")
        self._draft.begin()
        self.fill(**kept)
        if isinstance(title := kept.get("title"), str):
            self._panel.restore(title, self.tune)
            self._show()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], client: Client | None = None, **options: Any) -> TuneForm:
        """Return a form filled in with what `to_dict` returned; options as for the form itself."""
        return cls(client, **options, **values)

    @classmethod
    def from_row(
        cls, row: pd.DataFrame, client: Client | None = None, *, log: Log | None = None, **options: Any
    ) -> TuneForm:
        """Return a form filled in with what a row's tune was made from, under a fresh title.

        Parameters
        ----------
        row : pandas.DataFrame
            One row, of `submit` or of the log.
        client, log : optional
            As for the form. What was asked is in the log; without it, the row tells what it can.
        **options
            As for the form itself; fields replace those of the run.

        Notes
        -----
        What the log did not keep, such as the secret in a callback's address, is left empty.
        """
        client, log = client_or_default(client), log_or_default(log)
        return cls(client, log=log, **{**asked_for(row, client, log), **options})

    def to_dict(self) -> dict[str, Any]:
        """Return what is filled in, as plain data: the fields of `Tune`, images as paths.

        With them ``keep_metadata`` and ``max_side``, where a switch for the photos is turned on.

        Examples
        --------
        >>> import astria_nb as anb
        >>> with anb.Sandbox() as sandbox:
        ...     anb.TuneForm(sandbox.client(), pack=43, name="cat", title="t").to_dict()
        {'pack': 43, 'name': 'cat', 'title': 't'}
        """
        preprocessing = asdict(self._draft.switches.preprocessing)
        switches = {name: value for name, value in preprocessing.items() if value}
        return as_plain({**self._draft.values(), **switches})

    @property
    def rows(self) -> pd.DataFrame:
        """All rows that this form has made, one under the other; an empty frame before the first."""
        return self._panel.rows

    @property
    def problems(self) -> list[Problem]:
        """Everything that keeps the tune from being sent, and what the service said against it."""
        return [*self._review().problems, *self._refused]

    def fill(self, **fields: Unpack[TuneFields]) -> None:
        """Fill in fields, as typing would; None empties one.

        Raises
        ------
        TypeError
            For a keyword that is no field; names the nearest one.
        TuneError
            When a list or a map is asked for and something else was given. Nothing was filled in.
        """
        self._draft.fill(fields)
        self._draft.pack.settle(_SETTLE_SECONDS)
        self._show()

    def new_title(self) -> None:
        """Put a fresh UUID in the title, for another tune."""
        self._draft.new_title()

    def submit(self, client: Client | None = None, *, encoding: Encoding | None = None) -> pd.DataFrame:
        """Send the tune and return its row: the same as the Submit button.

        A form sends a title once: submitted again unchanged, it returns the row that it has.

        Raises
        ------
        TuneError
            Something is missing or wrong, or the title was sent before. Nothing was sent.
        AstriaError
            As `astria_nb.submit` says.
        """
        self._panel.take()
        try:
            return self._submit(
                client_or_default(self.client if client is None else client),
                self._encoding if encoding is None else encoding,
            )
        finally:
            self._panel.leave()
            self._show()

    def __repr__(self) -> str:
        values = {
            name: len(value) if name in ("images", "image_urls") else value
            for name, value in self._draft.values().items()
        }
        fields = "".join(f"{name}={value!r}, " for name, value in values.items())
        return f"TuneForm({fields}status={self.status!r})"

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**options)
        # Shown wherever no widget runs; JupyterLab prefers the widget.
        page = form_html(self._account(), self._draft.values(), self._summary(self.problems))
        # Colab shows custom widgets only where the output names the manager for them, as anywidget does.
        _, metadata = self._error_summary._repr_mimebundle_(**options) or ({}, {})
        return {**bundle, "text/plain": repr(self), "text/html": page}, metadata

    def _head(self) -> widgets.HTML:
        head = widgets.HTML(Markup("<div><b>Train a tune</b><span>{}</span></div>").format(self._account()))
        head.add_class("astria-head")
        return head

    def _account(self) -> str:
        if is_sandbox(self.client):
            return "sandbox · nothing is charged"
        return f"your account · {urlsplit(self.client.base_url).netloc}"

    @property
    def _encoding(self) -> Encoding | None:
        return cast("Encoding | None", self._draft.fields["encoding"].value)

    def _edited(self, name: str) -> None:
        # What the service refused is worth another try once its field was changed.
        self._refused = [each for each in self._refused if not self._problem_display.belongs(each, name)]
        self._show()

    def _review(self) -> Review:
        return review(self._draft.values(), self._draft.pack, self._panel.sent, self._max_cost)

    def _show(self) -> None:
        """Bring what is seen in line with what is filled in."""
        with self._draft.lock:
            found, is_busy = self._review(), self._panel.is_busy
            problems = [*found.problems, *self._refused]
            self.tune, self.valid = found.tune, found.is_valid
            self.status = self._status(found, is_busy)
            self._problem_display.show(problems, is_fresh=self._draft.is_fresh)
            self._error_summary.problems = self._problem_display.entries(problems)
            self._draft.sections.label()
            # Nobody waits for code that is folded away.
            if self._draft.sections.shows_request:
                self._request.show(found.tune, self._encoding)
            self._submit_bar.show(
                enabled=found.is_valid and not found.was_sent and not is_busy,
                note="Asking for the pack" if found.is_waiting else self._summary(problems),
                estimate=found.estimate,
            )
            self._keep()

    def _status(self, found: Review, is_busy: bool) -> str:
        if is_busy:
            return "sending"
        if self._refused or self._panel.has_failed:
            return "failed"
        if found.was_sent:
            return "submitted"
        return "ready" if found.is_valid else "incomplete"

    def _summary(self, problems: list[Problem]) -> str:
        if problems:
            return self._problem_display.summary(problems)
        if self.status == "submitted":
            return "Submitted; press New at the title for another"
        return "Ready to submit"

    def _clicked(self) -> None:
        if not self._panel.is_busy:
            self._submit_bar.disable()
            background.start(self._submit_quietly)

    def _submit_quietly(self) -> None:
        try:
            self.submit()
        except AstriaError:
            pass  # stands in the form by then
        except Exception as error:
            self._panel.upload.failed(
                [Problem("form", f"failed ({type(error).__name__}: {error})", "please report it")]
            )
            raise

    def _submit(self, client: Client, encoding: Encoding | None) -> pd.DataFrame:
        found = self._review()
        tune, preprocessing = found.tune, self._draft.switches.preprocessing
        if tune is None or found.problems:
            raise TuneError(*found.problems)
        if (row := self._panel.row_of(tune)) is not None:
            return row
        self._refused = []
        self._panel.upload.start()
        self._show()
        try:
            return self._panel.send(
                tune, client, encoding=encoding, max_cost=self._max_cost,
                keep_metadata=preprocessing.keep_metadata, max_side=preprocessing.max_side,
            )  # fmt: skip
        except AstriaError as error:
            elsewhere = self._problem_display.show(error.problems)
            self._refused = [problem for problem in error.problems if problem not in elsewhere]
            self._panel.upload.failed(elsewhere)
            raise

    def _keep(self) -> None:
        if self._saved is not None:
            try:
                self._saved.write(self.to_dict())
            except OSError as error:
                self._saved = None
                warnings.warn(f"the draft is not kept ({error.strerror or error})", stacklevel=2)
