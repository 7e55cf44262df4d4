"""The prompts of a pack as cards, those of the chosen class first."""

from __future__ import annotations

from collections.abc import Iterator

from astria_nb.client import Client
from astria_nb.errors import printable
from astria_nb.form.pickers._cards import Card
from astria_nb.tune import Pack, PackPrompt


class PromptCards:
    """A `CardSource` of the prompts that a pack lists.

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
        self._prompts = sorted(prompts, key=lambda prompt: prompt.name != name)
        self._picture_urls = {str(prompt.id): prompt.image_url for prompt in prompts if prompt.image_url}

    def cards(self, after: str | None) -> Iterator[Card]:  # noqa: ARG002  all are in memory
        """Yield the prompts."""
        return map(_card, self._prompts)

    def details(self, card: Card) -> tuple[Card, bytes | None]:
        """Return a picture that was made with the prompt."""
        return card, self._client.picture(self._picture_urls[card["id"]])


def _card(prompt: PackPrompt) -> Card:
    name = printable(prompt.name)
    return {
        "id": str(prompt.id),
        "title": printable(prompt.text) or f"Prompt {prompt.id}",
        "lines": [f"{name} · {prompt.id}" if prompt.text else name],
        "picture": "some" if prompt.image_url else "none",
    }
