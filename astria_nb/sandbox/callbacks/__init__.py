"""Callbacks: what they contain, and how they are sent."""
