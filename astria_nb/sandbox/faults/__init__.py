"""Faults that a sandbox simulates on request."""

from astria_nb.sandbox.faults._fault import Fault, Kind, Status
from astria_nb.sandbox.faults._rules import FaultRules

__all__ = [
    "Fault",
    "FaultRules",
    "Kind",
    "Status",
]
