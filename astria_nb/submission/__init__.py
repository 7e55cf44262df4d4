"""Paying once: `submit` and the engine behind it, recovery, and the experiment log."""
