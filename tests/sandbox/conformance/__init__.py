"""The service by its documents, asked by three programs."""
