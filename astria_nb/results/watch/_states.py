"""The states in which a tune is finished."""

FINAL_STATES = ("trained", "failed", "expired", "deleted")
"""The states after which a tune's training is not polled again."""
