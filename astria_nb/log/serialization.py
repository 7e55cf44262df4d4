"""What is kept of a request, and of the tune that came of it, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from astria_nb import rows
from astria_nb.images.preprocessing import UNCHANGED
from astria_nb.log.states import Submission
from astria_nb.tune.request import Request


def of_request(request: Request) -> dict[str, Any]:
    """Return all that it takes to send it again."""
    fields = {key: getattr(request, key) for key in ("service", "pack", "title", "encoding", "parameters")}
    # Stored under its first name: logs on disk have it.
    preprocessing = {"treatment": asdict(request.preprocessing)} if request.preprocessing != UNCHANGED else {}
    images = [asdict(image) for image in request.images]
    return {**fields, "images": images, **preprocessing, "redacted": request.redacted}


def tune_of(reply: Any) -> dict[str, Any] | None:
    """Return the tune that a reply tells of; a callback's is wrapped (astria-api, section 9)."""
    if isinstance(reply, Mapping) and isinstance(reply.get("tune"), Mapping):
        reply = reply["tune"]
    return dict(reply) if isinstance(reply, Mapping) else None


def known(tune: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields for a row: all of a tune; of a run that made none only those that rows know."""
    return (
        tune if tune.get("id") is not None else {key: tune[key] for key in tune.keys() & set(rows.TUNE.names)}
    )


def is_news(about: Submission, tune: Mapping[str, Any]) -> bool:
    """Tell whether a tune is that of a submission, and not older than what is known of it."""
    if about.tune_id is None or tune.get("id") != about.tune_id:
        return False
    before, after = ((each or {}).get("updated_at") for each in (about.record, tune))
    # Times of one service, in one form: their order is that of the text.
    return not (isinstance(before, str) and isinstance(after, str)) or before <= after


def updated(about: Submission, tune: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of a tune, with news of it: one that is there again is not gone."""
    before = about.record or _before_an_answer(about.request)
    return {**{key: value for key, value in before.items() if key != "status"}, **tune}


def _before_an_answer(request: Request) -> dict[str, Any]:
    asked = request.parameters
    ours = {"title": request.title, "name": asked.get("name"), "pack": request.pack}
    return {**ours, "encoding": request.encoding, "tune_ids": asked.get("tune_ids")}
