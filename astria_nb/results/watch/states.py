"""When a tune is finished, and how many are listed at once."""

FINAL_STATES = ("trained", "failed", "expired", "deleted")
"""The states after which a tune's training is not polled again."""
PAGE_SIZE = 120
"""Tunes or prompts per list request."""
