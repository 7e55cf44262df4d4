"""What a request says: one tree from three encodings."""
