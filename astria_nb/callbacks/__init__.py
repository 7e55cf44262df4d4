"""Being told by the service instead of asking it."""

from astria_nb.callbacks.listening import Callbacks as Callbacks
