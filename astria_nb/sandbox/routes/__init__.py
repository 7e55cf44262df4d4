"""Which method answers which request."""
