"""The callback addresses in rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from astria_nb.utils.redaction import redact_text

_CALLBACKS = ("callback", "prompts_callback")


def redact_callbacks(entity: Mapping[str, Any]) -> Mapping[str, Any]:
    """Redact callback URLs, whose secret proves that a callback is genuine: rows end up in notebooks."""
    callbacks = {name: entity[name] for name in _CALLBACKS if isinstance(entity.get(name), str)}
    return {**entity, **{name: redact_text(url) for name, url in callbacks.items()}} if callbacks else entity
