"""The experiment log: a record on disk of every submission."""

from astria_nb.log._access import ELSEWHERE
from astria_nb.log._default_path import DEFAULT_PATH
from astria_nb.log._log import Log, problem_with_title
from astria_nb.log._recent import default_log
from astria_nb.log._server_address import LogPath
from astria_nb.log._states import (
    HAS_TUNE,
    RELEASED,
    UNSETTLED,
    Labels,
    Precedents,
    RequestClaimed,
    SameContentRecorded,
    StaleSubmission,
    Submission,
)

__all__ = [
    "DEFAULT_PATH",
    "ELSEWHERE",
    "HAS_TUNE",
    "RELEASED",
    "UNSETTLED",
    "Labels",
    "Log",
    "LogPath",
    "Precedents",
    "RequestClaimed",
    "SameContentRecorded",
    "StaleSubmission",
    "Submission",
    "default_log",
    "problem_with_title",
]
