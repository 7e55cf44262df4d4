"""The photos of the form."""
