"""Faults that a sandbox plays on request."""
