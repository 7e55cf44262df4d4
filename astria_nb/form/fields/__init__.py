"""The controls of single fields."""
