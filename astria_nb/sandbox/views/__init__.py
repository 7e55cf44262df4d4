"""What clients are shown: JSON and pictures."""
