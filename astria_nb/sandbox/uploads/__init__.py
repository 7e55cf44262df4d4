"""Files that are uploaded or downloaded, and the check that they are images."""

from astria_nb.sandbox.uploads._spool import Spool, Upload

__all__ = [
    "Spool",
    "Upload",
]
