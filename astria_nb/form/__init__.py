"""What is seen in a notebook: the form."""

from astria_nb.form.tune_form import TuneForm as TuneForm

__all__ = ["TuneForm"]
