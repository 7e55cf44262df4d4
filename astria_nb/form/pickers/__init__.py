"""The choice of a pack, tunes and prompts by their pictures."""
