"""One photo: opened, judged, cleaned and made ready to upload."""
