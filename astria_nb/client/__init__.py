"""The Astria API over HTTP, and the same request as code."""

from astria_nb.client._base_url import is_loopback
from astria_nb.client._by_id import VISIBILITY_DELAY, fetch_latest, is_recent
from astria_nb.client._client import Client
from astria_nb.client._credentials import find_key
from astria_nb.client._deletion import record_deletions_in
from astria_nb.client._error_body import error_message, error_text
from astria_nb.client._inspection import Inspection, inspect_each, majority
from astria_nb.client._login import login
from astria_nb.client._picture_stream import PictureStream
from astria_nb.client._repeated_answers import RepeatedAnswers
from astria_nb.client._replies import PAGE_SIZE, Json
from astria_nb.client._throttle import Throttle

__all__ = [
    "PAGE_SIZE",
    "VISIBILITY_DELAY",
    "Client",
    "Inspection",
    "Json",
    "PictureStream",
    "RepeatedAnswers",
    "Throttle",
    "error_message",
    "error_text",
    "fetch_latest",
    "find_key",
    "inspect_each",
    "is_loopback",
    "is_recent",
    "login",
    "majority",
    "record_deletions_in",
]
