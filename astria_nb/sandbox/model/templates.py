"""Template prompts: fill ``{{key}}`` from a tune's characteristics."""

import re
from collections.abc import Mapping
from functools import lru_cache

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")
_SPACES = re.compile(r" {2,}")
_COMMAS = re.compile(r"\s*,(?:\s*,)+")


def fill(text: str, characteristics: Mapping[str, str], *, keep: bool) -> str:
    """Fill the placeholders of a template.

    Parameters
    ----------
    text : str
        The template.
    characteristics : mapping
        Key → the text to insert.
    keep : bool
        Whether a placeholder without a value stays; otherwise it is removed with the comma and spaces
        around it.

    Examples
    --------
    >>> fill("ohwx man, {{eye_color}}, {{hair_color}}, office", {"eye_color": "blue eyes"}, keep=False)
    'ohwx man, blue eyes, office'
    """
    return _filled(text, tuple(characteristics.items()), keep)


@lru_cache(maxsize=1024)  # the same few templates for each tune
def _filled(text: str, characteristics: tuple[tuple[str, str], ...], keep: bool) -> str:
    if "{{" not in text:
        return text
    values = dict(characteristics)
    filled = _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0] if keep else ""), text)
    if keep or filled == text:
        return filled
    return _SPACES.sub(" ", _COMMAS.sub(",", filled)).strip(" ,")
