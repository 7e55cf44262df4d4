"""The HTTP/1.1 server, and the ledger of what it received."""

from astria_nb.sandbox.http._address import allowed_hosts, check_host, netloc
from astria_nb.sandbox.http._auth import OWN_PREFIX, Guard
from astria_nb.sandbox.http._ledger import Ledger, ReceivedRequest

__all__ = [
    "OWN_PREFIX",
    "Guard",
    "Ledger",
    "ReceivedRequest",
    "allowed_hosts",
    "check_host",
    "netloc",
]
