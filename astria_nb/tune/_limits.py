"""The limits of one request, as a stock Rails reads it (astria-api, section 16)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from astria_nb.errors import Problem
from astria_nb.tune._body import Encoding
from astria_nb.utils.formatting import short
from astria_nb.utils.remedies import Remedy

MAX_FILES = 127
_MAX_PARTS, _MAX_PAIRS = 4095, 4096
_MAX_FORM, _MAX_TEXT = 4 * 2**20, 16 * 2**20
_MAX_KEY = 1000  # bytes; with the rest of its header, a part's name may have 1,536
_CHANGED_IN_MULTIPART = re.compile(r'["\\\r\n]|;\s*name=', re.IGNORECASE)


def too_many_files(count: int) -> Iterator[Problem]:
    """Find more files than one request may have; the service fails after the upload of one more."""
    if count > MAX_FILES:
        what = f"{count:,} files are too many: the service reads {MAX_FILES} per request"
        hint = f"send at most {MAX_FILES} files, or give addresses {Remedy.AS_URLS} instead"
        yield Problem("images", what, hint)


def keys_changed_by_multipart(values: Mapping[str, Any], way_out: str) -> Iterator[Problem]:
    """Find keys that the service would misread, or lose, in the name of a part.

    Parameters
    ----------
    values : mapping of str to object
        Of the tune's fields.
    way_out : str
        What to do instead of choosing another key.

    Yields
    ------
    Problem
    """
    for field in ("characteristics", "prompt_attributes"):
        for key in values[field]:
            if _CHANGED_IN_MULTIPART.search(key):
                what = f"{short(key)} would not arrive as it is in multipart/form-data"
            elif len(key.encode()) > _MAX_KEY:
                what = f"{short(key)} is over {_MAX_KEY:,} bytes, and would be lost in multipart/form-data"
            else:
                continue
            yield Problem(field, what, f"use letters and underscores, such as 'eye_color', or {way_out}")


def beyond_limits(
    encoding: Encoding, pairs: Sequence[tuple[str, str]], size: int, files: int
) -> Problem | None:
    """Return the problem with a body that exceeds the limits of a stock Rails; None if it does not.

    Parameters
    ----------
    encoding : {"multipart", "form", "json"}
    pairs : sequence of (str, str)
        Its fields of text.
    size : int
        Length of the text in bytes.
    files : int
        Number of files.

    Examples
    --------
    >>> print(beyond_limits("form", [("tune[image_urls][]", "https://example.com/1.jpg")] * 5000, 10**5, 0))
    encoding: the form has 5,000 fields, and a stock Rails reads 4,096; choose encoding='json'
    """
    way_out = "give less text or fewer files" if files else Remedy.CHOOSE_JSON.value
    limits: tuple[tuple[str, int, int], ...] = ()
    if encoding == "form":
        limits = ("form has {:,} fields", len(pairs), _MAX_PAIRS), ("form has {:,} bytes", size, _MAX_FORM)
    elif encoding == "multipart":
        parts = len(pairs) + files
        limits = ("body has {:,} parts", parts, _MAX_PARTS), ("body has {:,} bytes of text", size, _MAX_TEXT)
    for words, number, limit in limits:
        if number > limit:
            what = f"the {words.format(number)}, and a stock Rails reads {limit:,}"
            return Problem("encoding", what, way_out)
    return None
