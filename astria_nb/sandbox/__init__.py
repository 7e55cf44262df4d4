"""A local stand-in of the Astria API, for notebooks and tests without an account.

It shares no code with the client.
"""

from astria_nb.sandbox.callbacks import Delivery
from astria_nb.sandbox.faults import Fault
from astria_nb.sandbox.ledger import Request
from astria_nb.sandbox.options import Options
from astria_nb.sandbox.server import SandboxServer

__all__ = ["Delivery", "Fault", "Options", "Request", "SandboxServer"]
