"""The form in a notebook cell."""

from astria_nb.form._tune_form import TuneForm

__all__ = [
    "TuneForm",
]
