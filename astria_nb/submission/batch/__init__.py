"""Many tunes at once: from a frame, or from an iterable of tunes."""

from astria_nb.submission.batch._submit_many import submit_many
from astria_nb.submission.batch._table import Table, read_tunes

__all__ = ["Table", "read_tunes", "submit_many"]
