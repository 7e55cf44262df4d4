"""A local replacement of the Astria API, for notebooks and tests without an account.

It shares no code with the client.
"""

from astria_nb.sandbox.callbacks.courier import Delivery
from astria_nb.sandbox.faults.fault import Fault
from astria_nb.sandbox.http.ledger import ReceivedRequest
from astria_nb.sandbox.options import Options
from astria_nb.sandbox.server import SandboxServer

__all__ = ["Delivery", "Fault", "Options", "ReceivedRequest", "SandboxServer"]
