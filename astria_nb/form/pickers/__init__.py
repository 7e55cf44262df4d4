"""The choice of a pack, tunes and prompts by their pictures."""

from astria_nb.form.pickers._class_field import ClassField
from astria_nb.form.pickers._ids_field import PromptsField, TunesField
from astria_nb.form.pickers._pack_field import PackField

__all__ = [
    "ClassField",
    "PackField",
    "PromptsField",
    "TunesField",
]
