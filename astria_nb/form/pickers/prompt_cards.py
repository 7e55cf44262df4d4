"""The prompts of a pack as cards, those of the chosen class first."""

from __future__ import annotations

from collections.abc import Iterator

from astria_nb.client.client import Client
from astria_nb.form.pickers.picker import Card
from astria_nb.tune.pack import Pack, PackPrompt


class PromptCards:
    """The prompts that a pack tells of.

    Parameters
    ----------
    client : Client
        For the pictures.
    pack : Pack or None
    name : str or None
        The chosen class.
    """

    def __init__(self, client: Client, pack: Pack | None, name: str | None) -> None:
        self._client = client
        prompts = pack.prompts if pack else ()
        self._prompts = sorted(prompts, key=lambda each: each.name != name)
        self._pictures = {str(each.id): each.image_url for each in prompts if each.image_url}

    def cards(self, after: str | None) -> Iterator[Card]:  # noqa: ARG002  they are all there
        """Yield the prompts."""
        return map(_card, self._prompts)

    def look(self, card: Card) -> tuple[Card, bytes | None]:
        """Return a picture that a prompt made."""
        return card, self._client.picture(self._pictures[card["id"]])


def _card(prompt: PackPrompt) -> Card:
    return {
        "id": str(prompt.id),
        "title": prompt.text or f"Prompt {prompt.id}",
        "lines": [f"{prompt.name} · {prompt.id}" if prompt.text else prompt.name],
        "picture": "some" if prompt.image_url else "none",
    }
