"""What becomes of a tune: wait, be told, look, keep, draw."""
