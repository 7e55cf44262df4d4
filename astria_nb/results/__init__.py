"""What follows a submission: waiting, callbacks, downloads, the gallery, and plots."""
