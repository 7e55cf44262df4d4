"""A draft as plain data: what it can have, and what of its file, which may have been edited, can be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, get_args

from astria_nb.errors import TuneError
from astria_nb.images import Image, Preprocessing
from astria_nb.tune import FIELDS, Encoding

EMPTY: dict[str, Any] = {**dict.fromkeys(FIELDS), **asdict(Preprocessing()), "encoding": None}
"""What a draft can have beside its list, each as it is when it is emptied or turned off."""
LIST = "list"
"""What the tunes of a form's list are saved as, beside its fields."""


def as_plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a draft as JSON can hold it, with images as their paths; those in memory are left out."""
    plain = {name: _plain(value) for name, value in values.items()}
    images = [path for path in plain.pop("images", None) or () if path is not None]
    return {**plain, "images": images} if images else plain


def _plain(value: Any) -> Any:
    if isinstance(value, Image):
        return value.origin
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def readable(saved: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return what of a saved draft can be shown, and whether that is all of it.

    A field that cannot be shown is emptied, for the reader to see. A tune of the list that has such a field
    is left out: it would be sent as another tune. What a draft does not have is ignored.

    Examples
    --------
    >>> readable({"pack": 797, "title": ["cat"], "list": [{"pack": 797, "tune_ids": "12"}]})
    ({'pack': 797, 'title': None, 'list': []}, False)
    """
    fields = {name: value for name, value in saved.items() if name in EMPTY}
    shown = {name: value if _is_readable(name, value) else EMPTY[name] for name, value in fields.items()}
    tunes = saved.get(LIST)
    listed = tunes if isinstance(tunes, list) else []
    kept = [tune for tune in listed if _is_tune(tune)]
    is_whole = shown == fields and kept == (listed if tunes is None else tunes)
    return {**shown, LIST: kept} if LIST in saved else shown, is_whole


def _is_tune(saved: Any) -> bool:
    return isinstance(saved, dict) and all(
        name in EMPTY and (value is None or _is_readable(name, value)) for name, value in saved.items()
    )


def _is_readable(name: str, value: Any) -> bool:
    if value is EMPTY[name]:
        return True
    if name not in FIELDS:
        return _is_option(name, value)
    shape = FIELDS[name].shape
    if shape == "map":
        return isinstance(value, dict)
    if shape == "scalar":
        return isinstance(value, str | int | float)
    is_of_text = name in ("images", "image_urls")
    return isinstance(value, list) and not (is_of_text and any(not isinstance(item, str) for item in value))


def _is_option(name: str, value: Any) -> bool:
    if name == "encoding":
        return value in get_args(Encoding)
    if name != "max_side":
        return isinstance(value, bool)
    try:
        return bool(Preprocessing(max_side=value))
    except TuneError:
        return False
