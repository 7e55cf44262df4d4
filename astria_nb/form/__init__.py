"""The form in a notebook cell."""

from astria_nb.form.tune_form import TuneForm as TuneForm

__all__ = ["TuneForm"]
