"""The error for a keyword that is not a field of a tune; it names the field or the call that was meant."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from types import MappingProxyType

from astria_nb.images import PREPROCESSING_NAMES

_SIMILARITY = 0.75  # below this similarity, a word was hardly meant
_OF_SUBMIT = (
    *("client", "encoding", "log", "idempotent", "once", "settle", "max_cost", *PREPROCESSING_NAMES),
    *("timeout", "on_sent", "say"),
)
_OF_SUBMIT_MANY = ("max_workers", "rate", "executor", "on_error", "skip_invalid", "ignore")
SUBMIT_OPTIONS: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(_OF_SUBMIT_MANY, "anb.submit_many") | dict.fromkeys(_OF_SUBMIT, "anb.submit")
)
"""The options of a submission, and the call that takes each of them."""


def unknown_field(name: str, fields: Collection[str], options: Mapping[str, str]) -> TypeError:
    """Return the error for a keyword that is not a field.

    Parameters
    ----------
    name : str
    fields : collection of str
        Those of a tune.
    options : mapping of str to str
        Other keywords, each with the call that takes it; ``""`` is the call that was made.

    Examples
    --------
    >>> print(unknown_field("titles", ["pack", "title"], SUBMIT_OPTIONS))
    a tune has no field 'titles'; did you mean 'title'?
    >>> print(unknown_field("max_cost", ["pack", "title"], SUBMIT_OPTIONS))
    a tune has no field 'max_cost'; it is an option of anb.submit
    """
    nearest = difflib.get_close_matches(name, [*fields, *options], n=1, cutoff=_SIMILARITY)
    call = options.get(nearest[0]) if nearest else None
    if not nearest:
        hint = f"the fields are {', '.join(fields)}"
    elif nearest == [name]:
        hint = f"it is an option of {call}"
    else:
        hint = f"did you mean {nearest[0]!r}{f', an option of {call}' if call else ''}?"
    return TypeError(f"a tune has no field {name!r}; {hint}")
