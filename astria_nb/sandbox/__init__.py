"""A local stand-in of the Astria API, for notebooks and tests without an account.

It shares no code with the client.
"""

from .callbacks import Delivery
from .options import Options
from .server import SandboxServer

__all__ = ["Delivery", "Options", "SandboxServer"]
