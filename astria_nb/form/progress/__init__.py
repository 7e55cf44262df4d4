"""Everything after a click on Submit: upload, row, training, pictures."""

from astria_nb.form.progress._loading import load
from astria_nb.form.progress._panel import SubmissionPanel
from astria_nb.form.progress._state import SubmissionState
from astria_nb.form.progress._upload import UploadPanel

__all__ = [
    "SubmissionPanel",
    "SubmissionState",
    "UploadPanel",
    "load",
]
