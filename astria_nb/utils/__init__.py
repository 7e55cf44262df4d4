"""Helpers for every layer: redaction, messages, argument checks, Arrow tables, progress, threads."""
