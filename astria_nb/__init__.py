"""Train Astria tunes from a Jupyter notebook."""
