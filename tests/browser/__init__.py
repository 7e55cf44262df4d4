"""What a user does, in a real browser."""
