"""The rules of each request: they turn its fields into a plan."""
