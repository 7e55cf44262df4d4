"""A local stand-in of the Astria API."""
