"""A local replacement of the Astria API, for notebooks and tests without an account.

It shares no code with the client.
"""

from astria_nb.sandbox._cli_options import add_arguments, chosen_options
from astria_nb.sandbox._options import Options
from astria_nb.sandbox._server import SandboxServer
from astria_nb.sandbox.callbacks import Delivery
from astria_nb.sandbox.faults import Fault
from astria_nb.sandbox.http import ReceivedRequest

__all__ = [
    "Delivery",
    "Fault",
    "Options",
    "ReceivedRequest",
    "SandboxServer",
    "add_arguments",
    "chosen_options",
]
