"""Files that arrive, by upload or by address."""
