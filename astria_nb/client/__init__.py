"""The Astria API over HTTP, and the same request as code."""
