"""The form that trains a tune."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import ipywidgets as widgets
import traitlets

from astria_nb.client import Client
from astria_nb.defaults import client_or_default, is_rehearsal, is_sandbox, log_or_default
from astria_nb.errors import Problem, TuneError
from astria_nb.form._account_line import AccountLine
from astria_nb.form._draft import Draft
from astria_nb.form._draft_fields import LIST, as_plain
from astria_nb.form._frame_trait import FrameTrait
from astria_nb.form._list_editor import ListEditor
from astria_nb.form._marimo import marimo_view
from astria_nb.form._options import check_filled, check_keywords
from astria_nb.form._recovery_notice import RecoveryNotice
from astria_nb.form._request_view import RequestView
from astria_nb.form._review import Review, review
from astria_nb.form._saved_draft import SavedDraft
from astria_nb.form._saving_line import SavingLine
from astria_nb.form._static_copy import StaticCopy
from astria_nb.form._submit_bar import SubmitBar
from astria_nb.form._submitter import Submitter
from astria_nb.form._tune_list import TuneList
from astria_nb.form._view import FormView, status_of
from astria_nb.form.fields import WIDE, controls
from astria_nb.form.progress import SubmissionPanel, load
from astria_nb.images import Preprocessing
from astria_nb.log import Log
from astria_nb.submission import Repeat
from astria_nb.tune import Encoding, Tune, TuneFields
from astria_nb.utils import background
from astria_nb.utils.arguments import check_bool, check_max_cost
from astria_nb.utils.formatting import short
from astria_nb.utils.interrupts import in_caller
from astria_nb.utils.saved_output import LIVE_CLASS, SavedOutput
from astria_nb.utils.stylesheet import stylesheet
from astria_nb.utils.warn import warn

if TYPE_CHECKING:
    import pandas as pd

    from astria_nb.rows import Rows

_CSS = stylesheet(Path(__file__).with_name("form.css"))
_START_SECONDS = 0.1  # until the form is displayed
_SETTLE_SECONDS = 2.0  # to show a quick answer at once; a slow service does not delay the form


class TuneForm(widgets.VBox):
    """A form that trains a tune: pack, class, photos, and a Submit button.

    Parameters
    ----------
    client : Client, optional
        Default: your account if an API key is configured, else the built-in sandbox. The form says which.
    log : ExperimentLog, optional
        Where submissions are recorded. Default: as in `astria_nb.submit`.
    draft : str, optional
        Saves what is filled in under this name, in ``.astria_drafts`` beside the log, and restores it when
        the cell runs again, also in another kernel. Photos from your computer and photos in memory are
        included, API keys are not. Only you can read the files. The form that opened a draft last saves it;
        an earlier one says so.
    max_cost : float, optional
        US dollars. A tune that is estimated to cost more cannot be submitted. It is a limit for each tune,
        not for all of the list together. Default: no limit.
    keep_metadata : bool, default False
        Upload photos with all their metadata, as in `astria_nb.submit`. The form has a switch for it.
    max_side : int, optional
        Pixels. Scale larger photos down before the upload, as in `astria_nb.submit`. The form has a switch
        for it. Default: no limit.
    keep_damaged : bool, default False
        Upload photos that cannot be decoded to their end as well, as in `astria_nb.submit`.
    save_thumbnails : bool, default False
        Put small copies of the photos into the notebook when it is saved, for viewers without widgets. By
        default it has their file names only.
    **fields
        Any field of `Tune`, to fill in. A saved draft takes precedence, also over the options for photos:
        what was emptied or turned off in the form stays so. A field that the draft never had is filled in.

    Raises
    ------
    TypeError
        A keyword is not a field; the message names the field or the option that is close to it, if one is.
    TuneError
        A value is not the list or mapping that its field takes, `max_side` is not a number of pixels, or
        `draft` is not a valid file name.

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
    """The tune that would be sent; None while a field is missing or wrong."""
    valid = traitlets.Bool(False)
    """Whether the tune is complete, and its pack exists and has the class, so that it can be submitted."""
    status = traitlets.Unicode("incomplete")
    """``incomplete``, ``ready``, ``sending``, ``submitted`` or ``failed``."""
    row = FrameTrait(None, allow_none=True)
    """The row of the last submission; None before the first."""

    def __init__(
        self,
        client: Client | None = None,
        *,
        log: Log | None = None,
        draft: str | None = None,
        max_cost: float | None = None,
        keep_metadata: bool = False,
        max_side: int | None = None,
        keep_damaged: bool = False,
        save_thumbnails: bool = False,
        **fields: Unpack[TuneFields],
    ) -> None:
        check_keywords(fields)
        self.client = client_or_default(client)
        self._log = log_or_default(log)
        self._max_cost = check_max_cost(max_cost)
        save_thumbnails = check_bool("save_thumbnails", save_thumbnails)
        self._saving = SavingLine(None if draft is None else SavedDraft(self._log.folder, draft))
        values: dict[str, Any] = {**asdict(Preprocessing(keep_metadata, max_side, keep_damaged)), **fields}
        values |= self._saving.read()
        saved_list, encoding = values.pop(LIST, []), values.pop("encoding", None)
        preprocessing = Preprocessing.taken_from(values)
        self._make_parts(preprocessing, in_rehearsal=is_rehearsal(client), with_photos=save_thumbnails)
        super().__init__(
            [
                controls.HTML(f"<style>{_CSS}</style>", layout={"display": "none"}),
                self._account,
                self._saving,
                self._view.error_summary,
                *self._draft.view,
                self._notice,
                self._list,
                self._submit_bar,
                self._submitter.question,
                self._panel,
            ],
            layout=WIDE,
        )
        self.add_class("astria-form").add_class(LIVE_CLASS)
        self._view.error_summary.form_id = self.model_id
        self._draft.begin()
        self._list_editor.restore(saved_list, self.client, self._max_cost)
        self._draft.fields["encoding"].value = encoding
        self._fill(values)
        self._saving.begin()
        self._save_draft()
        if isinstance(title := values.get("title"), str):
            self._panel.restore(title, self.tune)
            self._update()
        background.start_soon(_START_SECONDS, self._start)

    def _make_parts(self, preprocessing: Preprocessing, *, in_rehearsal: bool, with_photos: bool) -> None:
        """Make the widgets of the form, and what connects them."""
        self._version_problems: list[Problem] = []
        self._last_review: Review | None = None
        self._list = TuneList(
            lambda listed: self._list_editor.edit(listed),
            lambda: self._list_editor.on_removed(),
            lambda: self._update(),
            lambda listed: self._list_editor.note_on(listed),
        )
        request = RequestView(self.client.base_url)
        self._draft = Draft(
            *(self.client, preprocessing, self._on_edit, lambda: self._update()),
            *(request, self._saving.make_photos_folder),
        )
        self._account = AccountLine(self.client, in_rehearsal, lambda: self._update())
        self._panel = SubmissionPanel(
            self._log, self.client, in_caller(self._on_row), lambda: self._saved_output.changed()
        )
        self._submit_bar = SubmitBar(
            is_sandbox(self.client),
            lambda: self._submitter.start(),
            self.new_title,
            lambda: self._list_editor.on_add(),
        )
        self._submitter = Submitter(
            *(self.client, self._log, self._max_cost, self._draft),
            *(self._panel, self._submit_bar, self._review, self._on_submission),
            tune_list=self._list,
            add=lambda: self._list_editor.add(),
        )
        self._list_editor = ListEditor(self._draft, self._list, self._submitter, self._review, self._update)
        self._notice = RecoveryNotice(self._log, self.client)
        self._view = FormView(self._draft, request, self._submit_bar, self._panel.upload, self._list)
        self._copy = StaticCopy(
            *(self._account.account, self._draft, self._view, self._panel, self._review, self._list),
            with_photos=with_photos,
        )
        self._saved_output = SavedOutput("TuneForm", self._copy.saved)
        self._view.error_summary.saved_number = self._saved_output.number

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], client: Client | None = None, **options: Any) -> TuneForm:
        """Return a form filled with the result of `to_dict`.

        Parameters
        ----------
        values : mapping of str to object
        client : Client, optional
            As for the form.
        **options
            The form's other parameters.

        Returns
        -------
        TuneForm

        Raises
        ------
        TypeError, TuneError
            As for the form.

        Examples
        --------
        >>> import astria_nb as anb
        >>> with anb.Sandbox() as sandbox:
        ...     anb.TuneForm.from_dict({"pack": 43, "name": "cat", "title": "t"}, sandbox.client())
        TuneForm(pack=43, name='cat', title='t', status='incomplete')
        """
        if not isinstance(values, Mapping):
            raise TuneError(
                Problem("values", f"{short(values)} is not a mapping", "pass what to_dict returned")
            )
        return cls(client, **options, **values)

    @classmethod
    def from_row(
        cls, row: Rows, client: Client | None = None, *, log: Log | None = None, **options: Any
    ) -> TuneForm:
        """Return a form filled with what a tune was made from, under a new title.

        Parameters
        ----------
        row : pandas.DataFrame
            One row, of `submit` or of the log, in any form that `astria_nb.rows.typed` reads. It may be of
            another service, such as a rehearsal in a sandbox.
        client : Client, optional
            As for the form.
        log : ExperimentLog, optional
            As for the form. It has the whole request; a tune that it does not have is filled in from the row.
        **options
            The form's other parameters. Fields replace those of the row.

        Returns
        -------
        TuneForm

        Raises
        ------
        TuneError
            It is not one row of a tune, or neither it nor the log says what the tune was made from.

        Notes
        -----
        What the log does not store, such as the secret in a callback URL, stays empty.

        Examples
        --------
        >>> import astria_nb as anb
        >>> with anb.Sandbox(deterministic=True) as sandbox:
        ...     client = sandbox.client()
        ...     urls = ["https://example.com/1.jpg"]
        ...     row = anb.submit(anb.Tune(pack=43, name="cat", title="t", image_urls=urls), client)
        ...     anb.TuneForm.from_row(row, client, name="dog", title="another")
        TuneForm(pack=43, name='dog', title='another', image_urls=1, status='incomplete')
        """
        client, log = client_or_default(client), log_or_default(log)
        load()
        from astria_nb.form._row_fields import fields_of_row

        return cls(client, log=log, **{**fields_of_row(row, client, log), **options})

    def to_dict(self) -> dict[str, Any]:
        """Return what is filled in as plain data: the fields of `Tune`, with images as paths or addresses.

        Images that were given as bytes, pixels or open files have neither, and are left out.
        ``keep_metadata``, ``max_side`` and ``keep_damaged`` are included if they are on.

        Returns
        -------
        dict of str to object
            Can be written as JSON, and read by `from_dict`.

        Examples
        --------
        >>> import astria_nb as anb
        >>> with anb.Sandbox() as sandbox:
        ...     anb.TuneForm(sandbox.client(), pack=43, name="cat", title="t").to_dict()
        {'pack': 43, 'name': 'cat', 'title': 't'}
        """
        return as_plain(self._filled_in())

    def _filled_in(self) -> dict[str, Any]:
        preprocessing = asdict(self._draft.switches.preprocessing)
        switched_on = {name: value for name, value in preprocessing.items() if value}
        return {**self._draft.values(), **switched_on}

    @property
    def rows(self) -> pd.DataFrame:
        """The rows of all submissions of this form, in their order; an empty frame before the first."""
        load()
        return self._panel.state.rows

    @property
    def problems(self) -> list[Problem]:
        """Everything that prevents a submission, and what the service rejected in the last one."""
        self._check_versions()
        return [*self._review().problems, *self._view.rejected(self._panel.state)]

    def fill(self, **fields: Unpack[TuneFields]) -> None:
        """Fill in fields, as typing would.

        Parameters
        ----------
        **fields
            Fields of `Tune`; None empties a field.

        Raises
        ------
        TypeError
            A keyword is not a field; the message names the one that is close to it, if one is.
        TuneError
            A value is not the list or mapping that its field takes. No field was filled.

        Examples
        --------
        >>> import astria_nb as anb
        >>> with anb.Sandbox() as sandbox:
        ...     form = anb.TuneForm(sandbox.client(), title="t")
        ...     form.fill(pack=43, name="dog")
        ...     [problem.field for problem in form.problems]
        ['images', 'name']
        """
        check_filled(fields)
        self._check_versions()
        self._fill(fields)

    def _fill(self, fields: Mapping[str, Any]) -> None:
        self._draft.fill(fields)
        self._draft.pack.settle(_SETTLE_SECONDS)
        self._update()

    def new_title(self) -> None:
        """Put a fresh UUID into the title, for another tune."""
        self._draft.new_title()

    def submit(
        self, client: Client | None = None, *, encoding: Encoding | None = None, once: bool = False
    ) -> pd.DataFrame:
        """Send the tune and return its row, as the Submit button does.

        A form sends each title once. Submitting it again unchanged returns the row it has. This call sends
        what is filled in: the tunes in the form's list are sent by the button only, and a warning says so.

        Parameters
        ----------
        client : Client, optional
            Default: the form's.
        encoding : {"multipart", "form", "json"}, optional
            Default: the form's.
        once : bool
            Return the row of an earlier tune of the same photos, pack and fields, as in `astria_nb.submit`.
            The Submit button asks; this call warns, and sends it again.

        Returns
        -------
        pandas.DataFrame
            One row, as from `astria_nb.submit`.

        Raises
        ------
        TuneError
            A field is missing or wrong, or the title is in the list or was sent with other fields. Nothing
            was sent.
        AstriaError
            A submission is under way, or as `astria_nb.submit` raises.

        Examples
        --------
        >>> import astria_nb as anb
        >>> with anb.Sandbox(deterministic=True) as sandbox:
        ...     form = anb.TuneForm(sandbox.client(), pack=43, name="cat", title="t")
        ...     form.fill(image_urls=["https://example.com/1.jpg"])
        ...     form.submit()["id"].tolist()
        [1000001]
        """
        client = client_or_default(self.client if client is None else client)
        repeat: Repeat = "return" if check_bool("once", once) else "announce"
        row = self._submitter.submit(client, encoding, repeat)
        if self._panel.upload.notice:  # the form may not be in sight
            warn(self._panel.upload.notice)
        if self._list.tunes:
            warn(f"{self._list.heading} of the form: its Submit button sends what is there", is_paid=True)
        return row

    def __repr__(self) -> str:
        draft = vars(self).get("_draft")  # None if a traceback shows a form whose arguments were refused
        values = {
            name: len(value) if name in ("images", "image_urls") else value
            for name, value in (draft.public_values() if draft is not None else {}).items()
        }
        fields = "".join(f"{name}={value!r}, " for name, value in values.items())
        return f"TuneForm({fields}status={self.status!r})"

    def _ipython_display_(self, **options: Any) -> None:
        self._panel.load_pictures()
        self._saved_output.display(*self._bundle(**options), self._copy.saved())

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        # Shown where no widget runs.
        self._check_versions()
        self._panel.load_pictures()
        data, metadata = self._bundle(**options)
        return {**data, "text/html": self._copy.whole()}, metadata

    def _display_(self) -> Any:  # for marimo
        return marimo_view(self._copy.fields(), self._panel.training.gallery)

    def _start(self) -> None:
        """Start what would delay the display of the form, and load what a submission needs."""
        self._account.refresh()
        self._draft.measure_photos()
        load()
        self._check_versions()

    def _check_versions(self) -> None:
        """Show it if a library does not fit. This takes a while; Submit checks it in any case."""
        from astria_nb.utils.versions import version_problems

        if (problems := version_problems()) != self._version_problems:
            self._version_problems = problems
            self._update()

    def _bundle(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        if self.comm is None:  # closed
            return {"text/plain": repr(self)}, {}
        bundle: dict[str, Any] = super()._repr_mimebundle_(**options)
        # Colab shows a custom widget only if the output's metadata names its manager; anywidget provides it.
        _, metadata = self._view.error_summary._repr_mimebundle_(**options) or ({}, {})
        return {**bundle, "text/plain": repr(self)}, metadata

    def _on_edit(self, name: str) -> None:
        # A field that the service rejected may be submitted again after it was changed.
        state = self._panel.state
        state.dismiss(self._view.rejected(state, name))
        self._submitter.question.hide()
        self._update()

    def _review(self) -> Review:
        field_values, pack_field = self._draft.values(), self._draft.pack
        self._last_review = review(
            *(field_values, pack_field, self._panel.state),
            *(self._max_cost, self._notice.log_problem()),
            *(self.client, self._account.balance),
            self._draft.photo_problems,
            self._list.tunes,
            self._version_problems,
        )
        return self._last_review

    def _update(self, reviewed: Review | None = None) -> None:
        """Update traits and widgets from the draft and the submissions.

        Parameters
        ----------
        reviewed : Review, optional
            The one that was just made. It is used unless the draft was reviewed again since.
        """
        with self._draft.lock:
            result = self._review() if reviewed is None or reviewed is not self._last_review else reviewed
            self.tune, self.valid = result.tune, result.is_valid
            status = status_of(result, self._panel.state)
            self._view.update(result, self._panel.state, status)
            self._list_editor.show_notes()
            self.status = status  # last: its observers find the form in this state
            self._save_draft()
        self._saved_output.changed()

    def _on_submission(self, reviewed: Review | None = None) -> None:
        self._update(reviewed)
        if self._panel.state.phase != "sending":
            self._account.refresh()

    def _on_row(self, row: pd.DataFrame) -> None:
        self.set_trait("row", row)
        self._saved_output.changed()

    def _save_draft(self) -> None:
        more = {"encoding": self._draft.encoding, LIST: [tune.saved for tune in self._list.tunes]}
        more = {name: value for name, value in more.items() if value}
        self._saving.save(lambda: self._filled_in() | more)
