"""Request parameters: one tree from three encodings."""

from astria_nb.sandbox.params._paging import page
from astria_nb.sandbox.params._tree import Param, Params, described, from_form

__all__ = [
    "Param",
    "Params",
    "described",
    "from_form",
    "page",
]
