"""Choosing packs, tunes and prompts by their pictures."""
