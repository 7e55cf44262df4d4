"""One training image: checking, measuring, removing metadata, preparing for upload."""
