"""Ids that are typed, or chosen by their pictures."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

from astria_nb.client.client import Client
from astria_nb.form.fields.text import IdsField
from astria_nb.form.pickers.browse_button import BrowseButton
from astria_nb.form.pickers.picker import Picker
from astria_nb.form.pickers.prompt_cards import PromptCards
from astria_nb.form.pickers.tune_cards import TuneCards
from astria_nb.tune.pack import Pack


class PickedIdsField(IdsField):
    """A line of ids and a picker; what is typed is chosen there, and what is chosen there is written here.

    Parameters
    ----------
    label, placeholder : str
    picker : Picker
        Of several.
    """

    def __init__(self, label: str, placeholder: str, picker: Picker) -> None:
        self.picker = picker
        super().__init__(label, placeholder, BrowseButton(picker), below=[picker])
        picker.observe(self._picked, "chosen")

    def _set(self, change: Mapping[str, Any]) -> None:
        super()._set(change)
        self.picker.chosen = [str(int(each)) for each in change["new"] or () if isinstance(each, Integral)]

    def _picked(self, change: Mapping[str, Any]) -> None:
        chosen, typed = [int(each) for each in change["new"] if each.isdecimal()], self.value or []
        # What is no number stays, for the rules to name it.
        kept = [each for each in typed if each in chosen or not isinstance(each, Integral)]
        ids = [*kept, *(each for each in chosen if each not in kept)]
        if ids != typed:
            self.value = ids or None


class TunesField(PickedIdsField):
    """Tunes that the account has.

    Parameters
    ----------
    client : Client
        Is asked for them once they are browsed.
    """

    def __init__(self, client: Client) -> None:
        picker = Picker(TuneCards(client), noun="tune", multiple=True, empty="This account has no tunes yet.")
        super().__init__("Tunes", "ids of trained tunes, such as 1504944", picker)


class PromptsField(PickedIdsField):
    """Some of a pack's prompts; none stands for all of them.

    Parameters
    ----------
    client : Client
        For their pictures.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._offered: tuple[Pack | None, str | None] = (None, None)
        picker = Picker(
            PromptCards(client, None, None),
            noun="prompt",
            multiple=True,
            empty="Choose a pack to see its prompts.",
            unchosen="all of the class are used unless some are chosen",
        )
        super().__init__("Prompts", "all of the pack's; or some of them, by id", picker)

    def offer(self, pack: Pack | None, name: str | None) -> None:
        """Show the prompts of a pack, those of a class first; what was chosen stays chosen."""
        if (pack, name) == self._offered:
            return
        self._offered = pack, name
        empty = f"{pack.title} does not show its prompts; type their ids." if pack else "Choose a pack first."
        self.picker.show(PromptCards(self._client, pack, name), empty=empty)
