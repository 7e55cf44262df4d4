"""Request parameters: one tree from three encodings."""
