"""Callbacks: what they contain, and how they are sent."""

from astria_nb.sandbox.callbacks._courier import Courier, Delivery

__all__ = [
    "Courier",
    "Delivery",
]
