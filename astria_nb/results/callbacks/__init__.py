"""Receiving callbacks from the service."""

from astria_nb.results.callbacks._callbacks import Callbacks

__all__ = [
    "Callbacks",
]
