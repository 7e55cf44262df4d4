"""Receiving callbacks from the service."""

from astria_nb.results.callbacks.callbacks import Callbacks as Callbacks
