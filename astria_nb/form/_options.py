"""The options of a form, which are not fields of its tune."""

from __future__ import annotations

from collections.abc import Iterable

from astria_nb.images import PREPROCESSING_NAMES
from astria_nb.tune import SUBMIT_OPTIONS, check_field_names

_OPTIONS = ("client", "log", "draft", "max_cost", *PREPROCESSING_NAMES, "save_thumbnails")
_OF_SUBMIT = {**SUBMIT_OPTIONS, "encoding": "form.submit", "once": "form.submit"}


def check_keywords(names: Iterable[str]) -> None:
    """Check the keywords of a form other than its options.

    Raises
    ------
    TypeError
        A keyword is not a field. The message names a similar field, or the call that takes it.
    """
    check_field_names(names, _OF_SUBMIT | dict.fromkeys(_OPTIONS, ""))


def check_filled(names: Iterable[str]) -> None:
    """Check the keywords with which a form is filled.

    Raises
    ------
    TypeError
        As for `check_keywords`.
    """
    check_field_names(names, _OF_SUBMIT | dict.fromkeys(_OPTIONS, "anb.TuneForm"))
