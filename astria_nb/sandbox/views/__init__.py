"""What clients are shown: JSON and pictures."""

from astria_nb.sandbox.views._address import Address
from astria_nb.sandbox.views._packs import PackViews
from astria_nb.sandbox.views._pictures import Pictures
from astria_nb.sandbox.views._prompts import SHORT_PROMPT
from astria_nb.sandbox.views._tunes import SHORT_TUNE, Views

__all__ = [
    "SHORT_PROMPT",
    "SHORT_TUNE",
    "Address",
    "PackViews",
    "Pictures",
    "Views",
]
