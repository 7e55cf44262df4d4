"""The form that trains a tune."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Unpack
from urllib.parse import urlsplit

import ipywidgets as widgets
import pandas as pd
import traitlets
from markupsafe import Markup

from astria_nb.client import Client
from astria_nb.defaults import default_client, is_sandbox
from astria_nb.encoding import Encoding
from astria_nb.errors import AstriaError, Problem, TuneError
from astria_nb.form import background
from astria_nb.form.draft import Draft
from astria_nb.form.fields import WIDE
from astria_nb.form.recovery import Recovery
from astria_nb.form.sending import Sending
from astria_nb.form.static import form_html
from astria_nb.log import Log
from astria_nb.submission import submit
from astria_nb.tune import Tune, TuneFields, check

_CSS = Path(__file__).with_name("form.css").read_text(encoding="utf-8")
_SETTLE_SECONDS = 2.0  # a service that answers at once is shown at once; a slow one holds nothing up


class TuneForm(widgets.VBox):
    """A form that trains a tune: pack, class, images, and a button.

    Parameters
    ----------
    client : Client, optional
        Default: your account if a key is configured, else the built-in sandbox; the form says which.
    log : ExperimentLog, optional
        Where submissions are recorded. Default as in `astria_nb.submit`.
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
        self, client: Client | None = None, *, log: Log | None = None, **fields: Unpack[TuneFields]
    ) -> None:
        self.client = client or default_client()
        self._log = log or Log()
        self._rows: dict[str | None, tuple[Tune, pd.DataFrame]] = {}
        self._refused: list[Problem] = []
        self._busy = threading.Lock()
        self._draft = Draft(self.client, self._edited)
        self._button = widgets.Button(description="Submit", button_style="primary", disabled=True)
        self._button.on_click(lambda _: self._clicked())
        self._todo = widgets.HTML(layout=widgets.Layout(flex="1 1 240px"))
        self._todo.add_class("astria-note")
        self._sending = Sending()
        head = widgets.HTML(Markup("<div><b>Train a tune</b><span>{}</span></div>").format(self._account()))
        head.add_class("astria-head")
        style = widgets.HTML(f"<style>{_CSS}</style>", layout=widgets.Layout(display="none"))
        foot = widgets.HBox([self._button, self._todo], layout=WIDE)
        foot.add_class("astria-foot")
        self._recovery = Recovery(self._log, self.client)
        super().__init__([style, head, *self._draft.view, self._recovery, foot, self._sending], layout=WIDE)
        self.add_class("astria-form")
        self._draft.pack.reload()  # whose answer may come at once, and needs the whole form
        self.fill(**fields)

    @property
    def rows(self) -> pd.DataFrame:
        """All rows that this form has made, one under the other; an empty frame before the first."""
        frames = [row for _, row in self._rows.values()]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    @property
    def problems(self) -> list[Problem]:
        """Everything that keeps the tune from being sent, and what the service said against it."""
        return [*self._review()[1], *self._refused]

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
        if not self._busy.acquire(blocking=False):
            raise AstriaError(Problem("form", "is being submitted", "wait until it is done"))
        try:
            return self._submit(client or self.client, encoding or self._draft.encoding.value)
        finally:
            self._busy.release()
            self._show()

    def __repr__(self) -> str:
        values = {
            name: len(value) if name in ("images", "image_urls") else value
            for name, value in self._draft.values().items()
        }
        fields = "".join(f"{name}={value!r}, " for name, value in values.items())
        return f"TuneForm({fields}status={self.status!r})"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**options)
        # Shown wherever no widget runs; JupyterLab prefers the widget.
        page = form_html(self._account(), self._draft.values(), self._summary(self.problems))
        return {**bundle, "text/plain": repr(self), "text/html": page}

    def _account(self) -> str:
        if is_sandbox(self.client):
            return "sandbox · nothing is charged"
        return f"your account · {urlsplit(self.client.base_url).netloc}"

    def _edited(self, name: str) -> None:
        # What the service refused is worth another try once its field was changed.
        self._refused = [problem for problem in self._refused if not self._draft.belongs(problem, name)]
        self._show()

    def _review(self) -> tuple[Tune | None, list[Problem]]:
        """Return the tune that is filled in, if it is one, and what keeps it from being sent."""
        values, problems = check(self._draft.values())
        tune = None if problems else Tune(**values)
        pack = self._draft.pack
        if pack.problem is not None and pack.pack is None:
            problems.append(_at_the_pack(pack.problem))
        elif pack.pack is not None and (wrong := pack.pack.problem_with(values["name"])):
            problems.append(wrong)
        title = values["title"]
        if title in self._rows and self._rows[title][0] != tune:
            problems.append(Problem("title", "was sent with other fields", "press New for a fresh one"))
        return tune, problems

    def _show(self) -> None:
        """Bring what is seen in line with what is filled in."""
        with self._draft.lock:
            tune, problems = self._review()
            pack = self._draft.pack
            waiting = pack.value is not None and pack.pack is None and pack.problem is None
            again = tune is not None and not problems and tune.title in self._rows
            self.tune, self.valid = tune, not problems and not waiting
            if self._busy.locked():
                self.status = "sending"
            elif self._refused or self._sending.has_failed:
                self.status = "failed"
            else:
                self.status = "submitted" if again else "ready" if self.valid else "incomplete"
            self._button.disabled = self._busy.locked() or not self.valid or again
            self._draft.complain([*problems, *self._refused])
            self._draft.label()
            note = "Asking for the pack" if waiting else self._summary([*problems, *self._refused])
            self._todo.value = Markup("{}").format(note)

    def _summary(self, problems: list[Problem]) -> str:
        if not problems:
            return (
                "Submitted; press New at the title for another"
                if self.status == "submitted"
                else "Ready to submit"
            )
        names = self._draft.names_of(problems)
        return f"{len(names)} thing{'s' if len(names) > 1 else ''} to mend: {', '.join(names)}"

    def _clicked(self) -> None:
        if not self._busy.locked():
            self._button.disabled = True
            background.start(self._submit_quietly)

    def _submit_quietly(self) -> None:
        try:
            self.submit()
        except AstriaError:
            pass  # stands in the form by then
        except Exception as error:
            self._sending.failed(
                [Problem("form", f"failed ({type(error).__name__}: {error})", "please report it")]
            )
            raise

    def _submit(self, client: Client, encoding: Encoding | None) -> pd.DataFrame:
        tune, problems = self._review()
        if tune is None or problems:
            raise TuneError(*problems)
        if tune.title in self._rows:
            return self._rows[tune.title][1]
        self._refused = []
        self._sending.start()
        self._show()
        try:
            row = submit(
                tune, client, encoding=encoding, log=self._log,
                on_sent=self._sending.on_sent, say=self._sending.waiting,
            )  # fmt: skip
        except AstriaError as error:
            elsewhere = self._draft.complain(error.problems)
            self._refused = [problem for problem in error.problems if problem not in elsewhere]
            self._sending.failed(elsewhere)
            raise
        except BaseException:
            self._sending.failed(
                [Problem("form", "was interrupted", "submit it again: it is looked for, not sent twice")]
            )
            raise
        self._rows[tune.title] = (tune, row)
        self.row = row
        self._sending.done(row)
        return row


def _at_the_pack(problem: Problem) -> Problem:
    """Put what kept the pack from being known, such as a wrong key, beside the pack."""
    if problem.field == "pack":
        return problem
    return Problem("pack", f"{problem.field}: {problem.what}", problem.hint)
