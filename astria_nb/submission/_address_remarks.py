"""Remarks on the addresses, photos and title of a tune before it is paid for: as warnings, or in the form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from astria_nb.client import Client, is_loopback
from astria_nb.errors import Problem
from astria_nb.submission._titles import KEPT_LENGTH
from astria_nb.tune import Tune, address_remarks, caption_remarks, folder_remarks
from astria_nb.utils.warn import warn


def remarks_on(values: Mapping[str, Any], client: Client) -> list[Problem]:
    """Return likely problems with a tune's addresses and title, and what of its folder is not sent.

    Parameters
    ----------
    values : mapping of str to object
        The fields of a tune, as `Tune` holds them.
    client : Client
    """
    is_local = is_loopback(urlsplit(client.base_url).hostname or "")
    # This machine's time: a signature is checked by the picture's host, not by the service.
    remarks = address_remarks(values, is_local=is_local, now=datetime.now(UTC))
    about_images = *folder_remarks(values["images"]), *caption_remarks(values["images"])
    return [*about_images, *remarks, *_title_remarks(values["title"])]


def _title_remarks(title: object) -> list[Problem]:
    if not isinstance(title, str) or len(title) <= KEPT_LENGTH:
        return []
    what = f"has more than {KEPT_LENGTH} characters, and the service may keep only so many"
    return [Problem("title", what, "shorten it: by its beginning alone, a lost tune may not be found again")]


def warn_of_addresses(tune: Tune, client: Client) -> None:
    """Show each remark as a warning before anything is recorded; if warnings are errors, nothing is sent."""
    for remark in remarks_on(vars(tune), client):
        warn(str(remark))
