"""Titles for rows without one: the same whenever and wherever the same row is read."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import PurePath
from typing import Any
from unicodedata import normalize

from astria_nb.images import Image, ImageContent, content_sha256, is_address, is_content
from astria_nb.tune import formerly_unsigned_addresses, unsigned_addresses
from astria_nb.tune.image_lists import uploads_in
from astria_nb.tune.plain import as_integer, as_text, is_blank, is_missing, plain, stripped
from astria_nb.tune.round_trips import alike, moment_text, same_line_ends

PREFIX = "batch-"
"""The beginning of each title that is made here, so that an account can be searched for them."""
_DIGITS_ONLY = re.compile(r"[+-]?[0-9]{1,18}")  # more do not fit into an integer column
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,2})?")
_PLAIN = re.compile(r"[\w.@:+-]+(?: [\w.@:+-]+)*", re.ASCII)
_ODD = re.compile(r"[^\w.@:+-]+", re.ASCII)
_MAX_KEY = 80  # characters of a key that is used unchanged in the title
_DIGITS = 24  # hexadecimal digits of a hash; 96 bits
_LATER = ("title", "callback", "prompts_callback")


def key_text(key: Any) -> str | None:
    """Return a key as text: whole numbers, text, and values that print as text, such as a UUID; else None.

    Text that CSV would return as a whole number counts as that number, and midnight as the date that CSV
    writes: otherwise the same table would be paid for again after it was saved and read.

    Examples
    --------
    >>> key_text(7.0), key_text("007"), key_text(" anna "), key_text(True), key_text(1.5)
    ('7', '7', 'anna', None, None)
    >>> key_text("2026-01-31T00:00:00"), key_text("2026-01-31 12:30")
    ('2026-01-31', '2026-01-31 12:30:00')
    """
    number = as_integer(key)
    if number is None:
        text = None if isinstance(plain(key), bool | float | bytes) else as_text(key)
        if text is None:
            return None
        text = moment_text(stripped(same_line_ends(text)))
        number = _number_in(text)
    return text if number is None else str(number)


def _number_in(text: str) -> int | None:
    if _DIGITS_ONLY.fullmatch(text):
        return int(text)
    return as_integer(float(text)) if _NUMBER.fullmatch(text) else None


def title_of_key(key: str) -> str:
    """Return the title for a key; other keys have other titles.

    Examples
    --------
    >>> title_of_key("customer 7"), title_of_key("a/b")
    ('batch-customer 7', 'batch-a-b~c14cddc033f6')
    """
    if len(key) <= _MAX_KEY and _PLAIN.fullmatch(key):
        return PREFIX + key
    readable = _ODD.sub("-", key)[: _MAX_KEY - 20].strip("-")
    return f"{PREFIX}{readable}~{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()[:12]}"


def title_of_values(values: Mapping[str, Any], images: Any) -> str:
    """Return the title for a row that has neither title nor key, from its values.

    Callbacks and signatures in addresses do not count, because they often change with each run. The order of
    images and line ends do not count, either. A path counts as it is written; content in memory by its hash.

    Parameters
    ----------
    values : mapping of str to object
        The fields, as in a `Tune`.
    images : object
        The value of ``images`` as it is written in the row.
    """
    return _title(values, images, unsigned_addresses(values["image_urls"] or ()))


def former_title_of_values(values: Mapping[str, Any], images: Any) -> str | None:
    """Return the title that the same row had when fewer signatures were known; None if it is the same one.

    Parameters
    ----------
    values : mapping of str to object
    images : object
        As in `title_of_values`.
    """
    addresses = values["image_urls"] or ()
    former = formerly_unsigned_addresses(addresses)
    return None if former == unsigned_addresses(addresses) else _title(values, images, former)


def _title(values: Mapping[str, Any], images: Any, addresses: list[str]) -> str:
    fields = {name: value for name, value in values.items() if name not in (*_LATER, "images") and value}
    if "auto_extend" in values and values["auto_extend"] is False:
        fields["auto_extend"] = False
    if "image_urls" in fields:
        fields["image_urls"] = addresses
    for name in ("tune_ids", "prompt_ids"):
        if name in fields:
            fields[name] = sorted(fields[name])
    attributes = {key: item for key, item in values["prompt_attributes"].items() if key != "callback"}
    fields["prompt_attributes"] = alike(attributes)
    if "characteristics" in fields:
        fields["characteristics"] = alike(fields["characteristics"])
    # Macs write the accents of file names in another normal form than most other systems.
    sources = sorted(normalize("NFC", same_line_ends(source)) for source in as_written(images))
    text = json.dumps([same_line_ends(fields), sources], sort_keys=True, separators=(",", ":"), default=str)
    name = _ODD.sub("-", str(values["name"] or "run"))[:20]
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
    return f"{PREFIX}{_ODD.sub('-', str(values['pack']))[:30]}-{name}-{digest}"


def as_written(images: Any) -> Iterable[str]:
    """Yield each path or address of a value of ``images`` as it is written, and the hash of other content."""
    if is_missing(images) or is_blank(images):
        return
    if isinstance(images, str):
        yield images if is_address(images) else PurePath(images).as_posix()
    elif isinstance(images, PathLike):
        path = images.as_posix() if isinstance(images, PurePath) else images.__fspath__()
        yield path if isinstance(path, str) else path.decode("utf-8", "surrogateescape")
    elif isinstance(images, Image):
        # After a copy from an open file, only the copy can be read again.
        yield images.origin or f"sha256:{images.copy.sha256 if images.copy is not None else ''}"
    elif isinstance(images, ImageContent) or is_content(images):
        content = images if isinstance(images, ImageContent) else ImageContent(images)
        yield content.address or f"sha256:{content_sha256(content)}"
    elif isinstance(images, Mapping):
        for upload in uploads_in(images) or ():
            yield f"sha256:{content_sha256(upload)}"
    else:
        for item in images:
            yield from as_written(item)
