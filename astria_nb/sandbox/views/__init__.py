"""What clients are shown: JSON and pictures."""

from astria_nb.sandbox.views._packs import PackViews
from astria_nb.sandbox.views._pictures import Pictures
from astria_nb.sandbox.views._tunes import Views

__all__ = [
    "PackViews",
    "Pictures",
    "Views",
]
