"""Paying once: submit, the exactly-once protocol, recovery, the experiment log."""
