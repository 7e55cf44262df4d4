"""What is seen in a notebook: the form, and the pictures of a tune."""

from astria_nb.form.pictures import gallery as gallery
from astria_nb.form.tune_form import TuneForm as TuneForm

__all__ = ["TuneForm", "gallery"]
