"""Callbacks, sent when due."""
