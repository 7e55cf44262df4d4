"""Everything after a submission: waiting, callbacks, downloads, the gallery, and plots."""
