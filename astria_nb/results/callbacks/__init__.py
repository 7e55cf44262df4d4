"""Being told by the service instead of asking it."""

from astria_nb.results.callbacks.callbacks import Callbacks as Callbacks
