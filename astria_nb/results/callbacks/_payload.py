"""Which tunes a callback is about (astria-api, section 9). Nothing else in its body is trusted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from astria_nb.utils.arguments import parse_id

_LORA_ID = re.compile(r"<\w+:(\d{1,19}):")
_MAX_TUNES = 20  # per body; a run has few
_MAX_ENTITIES, _MAX_DEPTH, _MAX_TEXT = 1000, 4, 2000
_WRAPPERS = ("tune", "prompt", "prompts")


@dataclass(frozen=True, slots=True)
class CallbackPayload:
    """What to fetch after a callback.

    Attributes
    ----------
    tune_ids : tuple of int
        May include ids of prompts and of base models, where the body does not distinguish them.
    has_prompts : bool
        Whether the callback is also about prompts.
    """

    tune_ids: tuple[int, ...]
    has_prompts: bool


def parse_payload(body: bytes) -> CallbackPayload | None:
    """Return the tunes that a body is about; None if it is not a JSON object or array.

    Parameters
    ----------
    body : bytes
        JSON in any of the shapes seen so far: an object or an array, wrapped or bare.

    Examples
    --------
    >>> parse_payload(b'{"tune": {"id": 7}}')
    CallbackPayload(tune_ids=(7,), has_prompts=False)
    >>> parse_payload(b'[{"id": 5, "text": "<lora:7:1> a cat", "tune_id": 1504944}]')
    CallbackPayload(tune_ids=(7, 1504944, 5), has_prompts=True)
    >>> parse_payload(b"hello") is None
    True
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, Mapping | list):
        return None
    entities = list(islice(_entities(content), _MAX_ENTITIES))
    ids = islice(chain.from_iterable(map(_tune_ids, entities)), 10 * _MAX_TUNES)
    unique_ids = tuple(dict.fromkeys(ids))[:_MAX_TUNES]
    return CallbackPayload(unique_ids, isinstance(content, list) or any(map(_is_prompt, entities)))


def _entities(content: Any, depth: int = _MAX_DEPTH) -> Iterator[Mapping[str, Any]]:
    """Yield the innermost tunes and prompts of a body."""
    if isinstance(content, list):
        children = content
    elif isinstance(content, Mapping):
        children = [content[name] for name in _WRAPPERS if isinstance(content.get(name), Mapping | list)]
        if not children:
            yield content
    else:
        return
    if depth:
        for child in children:
            yield from _entities(child, depth - 1)


def _tune_ids(entity: Mapping[str, Any]) -> Iterator[int]:
    """Yield the most likely ids first: `tune_id` may be the base model's (astria-api, section 6)."""
    tunes = entity.get("tunes")
    of_tunes = (
        [tune.get("id") for tune in tunes if isinstance(tune, Mapping)] if isinstance(tunes, list) else []
    )
    text = entity.get("text")
    in_text = _LORA_ID.findall(text[:_MAX_TEXT]) if isinstance(text, str) else []
    for value in (*of_tunes, *in_text, entity.get("tune_id"), entity.get("id")):
        tune_id = parse_id(value)
        if tune_id is not None:
            yield tune_id


def _is_prompt(entity: Mapping[str, Any]) -> bool:
    return "text" in entity or "tune_id" in entity or "images" in entity
