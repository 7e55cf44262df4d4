"""Waiting for tunes and their prompts; the only place that polls."""
