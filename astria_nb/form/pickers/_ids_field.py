"""Ids of tunes or prompts, typed or chosen by their pictures."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

from astria_nb.client import Client
from astria_nb.form.fields import IdsField
from astria_nb.form.pickers._browse_button import BrowseButton
from astria_nb.form.pickers._picker import Picker
from astria_nb.form.pickers._prompt_cards import PromptCards
from astria_nb.form.pickers._tune_cards import TuneCards
from astria_nb.tune import Pack


class PickedIdsField(IdsField):
    """A line of ids and a picker, which show the same choice.

    Parameters
    ----------
    label, placeholder : str
    picker : Picker
        With ``multiple=True``.
    """

    def __init__(self, label: str, placeholder: str, picker: Picker) -> None:
        self.picker = picker
        super().__init__(label, placeholder, BrowseButton(picker), below=[picker])
        picker.observe(self._on_chosen, "chosen")

    def _set(self, change: Mapping[str, Any]) -> None:
        super()._set(change)
        ids = change["new"] or ()
        self.picker.chosen = [str(int(typed)) for typed in ids if isinstance(typed, Integral)]

    def _on_chosen(self, change: Mapping[str, Any]) -> None:
        chosen = [int(card_id) for card_id in change["new"] if card_id.isdecimal()]
        current = self.value or []
        # Text that is not a number stays, so that validation can report it.
        ids = [typed for typed in current if typed in chosen or not isinstance(typed, Integral)]
        ids += [card_id for card_id in chosen if card_id not in ids]
        if ids != current:
            self.value = ids or None


class TunesField(PickedIdsField):
    """Tunes of the account.

    Parameters
    ----------
    client : Client
        Used once the user browses the tunes.
    """

    def __init__(self, client: Client) -> None:
        picker = Picker(TuneCards(client), noun="tune", multiple=True, empty="This account has no tunes yet.")
        super().__init__("Tunes", "ids of trained tunes, such as 1504944", picker)


class PromptsField(PickedIdsField):
    """Some of a pack's prompts; without a choice all are used.

    Parameters
    ----------
    client : Client
        For the prompts' pictures.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._offered: tuple[Pack | None, str | None] = (None, None)
        picker = Picker(
            PromptCards(client, None, None),
            noun="prompt",
            multiple=True,
            empty="Choose a pack to see its prompts.",
            unchosen="all prompts of the class are used unless you choose some",
        )
        super().__init__("Prompts", "all in the pack, or the ids of some", picker)

    def offer(self, pack: Pack | None, name: str | None) -> None:
        """Show the prompts of a pack, with those of a class first; the choice is kept."""
        if (pack, name) == self._offered:
            return
        self._offered = pack, name
        empty = f"{pack.title} does not list its prompts; type their ids." if pack else "Choose a pack first."
        self.picker.set_source(PromptCards(self._client, pack, name), empty=empty)
