"""What clients see: JSON and pictures."""
