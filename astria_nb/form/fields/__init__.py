"""The controls of single fields."""

from astria_nb.form.fields._base import AUTO, LABEL, WIDE, Field, displayable
from astria_nb.form.fields._characteristics import CharacteristicsField
from astria_nb.form.fields._choice import ChoiceField
from astria_nb.form.fields._pairs import PairsField
from astria_nb.form.fields._text import CallbackField, IdsField, TextField, UrlsField, number_or_text

__all__ = [
    "AUTO",
    "LABEL",
    "WIDE",
    "CallbackField",
    "CharacteristicsField",
    "ChoiceField",
    "Field",
    "IdsField",
    "PairsField",
    "TextField",
    "UrlsField",
    "displayable",
    "number_or_text",
]
