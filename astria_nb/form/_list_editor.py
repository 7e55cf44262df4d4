"""Moving tunes between the draft of a form and its list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from astria_nb.client import Client
from astria_nb.form._draft import Draft
from astria_nb.form._listed_tune import ListedTune, look_up_prices
from astria_nb.form._review import Review
from astria_nb.form._submitter import Submitter
from astria_nb.form._tune_list import TuneList
from astria_nb.utils import background


class ListEditor:
    """Adds the draft to the list, and fills a tune of the list into the form again.

    Parameters
    ----------
    draft : Draft
    tune_list : TuneList
    submitter : Submitter
        Its question may be about a tune of the list.
    review : callable
        Returns a `Review` of the draft.
    update : callable
        Brings the form in line with the draft and the list.
    """

    def __init__(
        self,
        draft: Draft,
        tune_list: TuneList,
        submitter: Submitter,
        review: Callable[[], Review],
        update: Callable[[], None],
    ) -> None:
        self._draft, self._list, self._submitter = draft, tune_list, submitter
        self._review, self._update = review, update
        self._wanted: ListedTune | None = None  # to be filled in, but the draft has another tune

    def restore(self, saved: Iterable[Mapping[str, Any]], client: Client, max_cost: float | None) -> None:
        """Fill the list with saved tunes; what they cost is looked up in the background.

        Parameters
        ----------
        saved : iterable of mapping
            As `ListedTune.saved`.
        client : Client
        max_cost : float or None
            US dollars, for each.
        """
        for values in saved:
            self._list.add(ListedTune.of_saved(values))

        def show_prices() -> None:
            look_up_prices(self._list.tunes, client, max_cost)
            self._list.show()
            self._update()

        if self._list.tunes:
            background.start(show_prices)

    def add(self) -> None:
        """Put the draft into the list, and make room for another tune."""
        with self._draft.lock:
            result = self._review()
            if result.tune is None or not result.is_valid or result.was_submitted:
                return
            preprocessing, encoding = self._draft.switches.preprocessing, self._draft.encoding
            self._list.add(
                ListedTune(self._draft.values(), result.tune, result.estimate, encoding, preprocessing)
            )
            self._draft.clear_photos()
        self._update()

    def on_add(self) -> None:
        """Put the draft into the list after its button was pressed."""
        self._submitter.question.hide()
        self.add()
        self._draft.focus()  # the pressed button is hidden by now

    def on_removed(self) -> None:
        """Update the form after the user removed a tune from the list."""
        self._submitter.question.hide()  # it may be about that tune
        if not self._list.tunes:
            self._draft.focus()

    def edit(self, listed: ListedTune) -> None:
        """Fill a tune of the list into the form, unless it would replace another one there."""
        if not self._draft.is_blank:
            self._wanted = listed
            self._list.show_notes()
        elif self._list.remove(listed):
            self._draft.fill({**dict.fromkeys(self._draft.values()), **listed.values})
            self._draft.fields["encoding"].value = listed.encoding
            self._draft.switches.preprocessing = listed.preprocessing
            self._submitter.question.hide()  # it may be about that tune
            self._draft.focus()

    def show_notes(self) -> None:
        """Bring the notes in the list in line with the draft."""
        if self._draft.is_blank:
            self._wanted = None
        self._list.show_notes()

    def note_on(self, listed: ListedTune) -> str:
        """Return the note that a tune of the list has as long as the form does not change; empty if none."""
        if listed is self._wanted:
            return "Add the tune above to the list first, or remove its photos."
        if listed is self._submitter.asked:
            return "The same was sent before: see the question below."
        return ""
