"""Cells of a frame as values of a tune's fields, with lists and maps from CSV, Parquet and JSON."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any

from astria_nb.submission.batch._printed_lists import items_in
from astria_nb.tune import FIELDS
from astria_nb.tune.plain import as_integer, plain
from astria_nb.tune.round_trips import alike, moment_text

_WITHOUT_GAPS = re.compile(r"[^\s|]+")
# Other semicolons are part of an address.
_SEPARATED = re.compile(r"\.(?:jpe?g|png|webp|heic);|;$", re.IGNORECASE)
_FORMULA = re.compile(r"=\s*(?:HYPERLINK|IMAGE)\s*\(", re.IGNORECASE)
_WHOLE = re.compile(r"\s*([0-9]{1,19})(?:\.0*)?\s*")
_BOOLEANS = {1: True, 0: False}
_IDS = ("tune_ids", "prompt_ids")
_FLAGS = frozenset(
    {
        *("inpaint_faces", "super_resolution", "face_correct", "face_swap", "hires_fix", "film_grain"),
        *("use_lpw", "controlnet_txt2img", "prompt_expansion", "is_multiperson", "only_upscale"),
        "tiled_upscale",
    }
)
_NUMBERS = frozenset(
    {
        *("num_images", "cfg_scale", "steps", "seed", "w", "h"),
        *("denoising_strength", "controlnet_conditioning_scale"),
    }
)


def field_value(name: str, cell: Any) -> Any:
    """Return a cell as the value of a field: text that holds a list or a mapping is read as one.

    In CSV, a column of whole numbers or booleans with gaps has values such as ``5.0``, which may be read as
    text.

    Examples
    --------
    >>> field_value("tune_ids", "[5, 6]"), field_value("tune_ids", 5.0), field_value("tune_ids", "5.0")
    ([5, 6], [5], [5])
    >>> field_value("pack", "260.0"), field_value("auto_extend", "1.0")
    (260, True)
    >>> field_value("characteristics", '{"age": "30 yo"}'), field_value("title", "[5, 6]")
    ({'age': '30 yo'}, '[5, 6]')
    """
    shape = FIELDS[name].shape
    if shape == "map":
        return _mapping(cell)
    if name == "auto_extend":
        return _boolean(cell)
    if name in ("pack", *_IDS) and isinstance(cell, str) and (match := _WHOLE.fullmatch(cell)):
        cell = int(match[1])
    if shape == "scalar":
        return _with_days(cell)
    if isinstance(cell, str):
        items = items_in(cell)
        if items is not None:
            return items
        return [cell] if name == "image_urls" and _is_one_address(cell) else cell
    number = as_integer(cell)
    return cell if number is None else [number]


def entry_value(field: str, entry: str, cell: Any) -> Any:
    """Return a cell as the value of an entry of a mapping.

    A column of booleans with gaps has numbers in JSON and Excel, and CSV may be read as text.

    Examples
    --------
    >>> entry_value("prompt_attributes", "inpaint_faces", 1.0)
    True
    >>> entry_value("prompt_attributes", "num_images", "4"), entry_value("characteristics", "age", "4")
    (4, '4')
    """
    if field == "prompt_attributes" and entry in _FLAGS:
        return _boolean(cell)
    if field == "prompt_attributes" and entry in _NUMBERS and isinstance(cell, str):
        with suppress(ValueError):
            number = float(cell)
            return number if as_integer(number) is None else int(number)
    if field == "prompt_attributes" and isinstance(cell, Decimal) and cell.is_finite():  # of a database
        return float(cell) if as_integer(cell) is None else as_integer(cell)
    return _with_days(cell)


def _with_days(cell: Any) -> Any:
    """Return a date with a time of day as text; text and other cells are unchanged."""
    return moment_text(str(cell)) if isinstance(cell, datetime) else cell


def _boolean(cell: Any) -> Any:
    """Return a boolean; a column with gaps has numbers in JSON, and CSV may be read as text."""
    number = as_integer(alike(plain(cell)))
    return cell if number is None else _BOOLEANS.get(number, cell)


def _mapping(cell: Any) -> Any:
    """Return a mapping; Parquet returns a list of pairs, and CSV text."""
    if isinstance(cell, str):
        for parse in (json.loads, ast.literal_eval):
            with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
                literal = parse(cell)
                return literal if isinstance(literal, Mapping) else _of_pairs(literal, cell)
        return cell
    return _of_pairs(cell, cell)


def _of_pairs(value: Any, cell: Any) -> Any:
    if isinstance(value, list | tuple) and all(
        isinstance(pair, list | tuple) and len(pair) == 2 for pair in value
    ):
        with suppress(TypeError):
            return dict(value)
    return cell


def _is_one_address(text: str) -> bool:
    text = text.strip()
    if text.count("://") != 1:
        return False
    if _FORMULA.match(text):  # its check says what to write
        return True
    return _WITHOUT_GAPS.fullmatch(text) is not None and _SEPARATED.search(text) is None
