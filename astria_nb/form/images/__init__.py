"""The training images of the form."""
