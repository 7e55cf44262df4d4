"""A local stand-in of the Astria API, for notebooks and tests without an account.

It shares no code with the client.
"""

from .callbacks import Delivery
from .faults import Fault
from .ledger import Request
from .options import Options
from .server import SandboxServer

__all__ = ["Delivery", "Fault", "Options", "Request", "SandboxServer"]
