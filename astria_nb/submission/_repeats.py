"""Repeated requests: earlier submissions of the same photos, pack and fields, under any title."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from astria_nb.errors import Problem
from astria_nb.log import HAS_TUNE, Submission
from astria_nb.tune import Body, Difference, Estimate, Request, differences, dollars
from astria_nb.tune.round_trips import alike
from astria_nb.utils.arguments import parse_whole
from astria_nb.utils.formatting import format_duration, short
from astria_nb.utils.progress import ReportProgress


class RepeatedRequest(Exception):  # noqa: N818  a question, not an error
    """An equal request was sent before, and the user has to be asked. Nothing was sent.

    Parameters
    ----------
    earlier : Submission
    text : str
        When it was sent, as what, and its price.
    """

    def __init__(self, earlier: Submission, text: str) -> None:
        super().__init__(text)
        self.earlier, self.text = earlier, text


def earlier_submission(
    candidates: Sequence[Submission], request: Request, body: Body, report: ReportProgress
) -> Submission | None:
    """Return the first candidate with the same request, or None; one without pictures only if all are.

    Files are read only if there are candidates. Files whose content was not recorded,
    since the process ended while it sent them, are compared by their names.

    Parameters
    ----------
    candidates : sequence of Submission
        With equal fields and sizes.
    request : Request
    body : Body
        Body of the request; its hashes are kept for the upload.
    report : callable
        Called with a fraction from 0 to 1 and a text while files are read.
    """
    for number, image in enumerate(body.images):
        if not candidates:
            return None
        report(number / len(body.images), "comparing the photos with those of an earlier submission")
        sha256 = image.sha256()
        candidates = [one for one in candidates if _may_contain(one.request, sha256)]
    request = request.with_sha256(body.image_sha256 if candidates else None)
    equal = [one for one in candidates if _has_same_images(one.request, request)]
    return min(equal, key=lambda one: bool(why_no_pictures(one)), default=None)


def describe(earlier: Submission, estimate: Estimate | None) -> str:
    """Describe an earlier submission: when it was sent, as which tune, and its price.

    Parameters
    ----------
    earlier : Submission
    estimate : Estimate or None
        The price of the same request today, used if the service did not report one.
    """
    age = (datetime.now(UTC) - earlier.planned_at).total_seconds()
    record = earlier.record or {}
    prompts, cost = record.get("prompt_ids"), parse_whole(record.get("cost_mc"))
    parts = [f"the same request was sent {format_duration(max(0.0, age))} ago"]
    if earlier.tune_id is not None:
        parts[0] += f" as tune {earlier.tune_id}"
    elif earlier.state in HAS_TUNE:
        parts[0] += f" and made {_counted(prompts)}" if isinstance(prompts, list) else ""
    else:
        parts.append("its outcome is not known yet")
    if loss := why_no_pictures(earlier):
        parts.append(loss)
    if cost is not None and cost > 0:
        parts.append(dollars(cost))
    elif estimate is not None:
        parts.append(str(estimate))
    return ", ".join(parts)


def conflict_with(earlier: Submission, request: Request, *, compares_images: bool = True) -> Problem | None:
    """Return the problem if an earlier, different request has the same title; None if they are equal.

    Parameters
    ----------
    earlier : Submission
    request : Request
        With the hashes of its images, if they are compared.
    compares_images : bool
        Whether the content of images is compared, or only their number and sizes.
    """
    ignored = {"title"} if compares_images else {"title", "images"}
    # The titles differ only in blanks, which older releases recorded.
    changes = differences(earlier.request, request)
    fields = [one.field for one in changes if one.field not in ignored and not _is_of_file(one)]
    if not compares_images and _sizes(earlier.request) != _sizes(request):
        fields.append("images")
    if not fields:
        return None
    names = ", ".join(dict.fromkeys(fields))
    what = f"{short(earlier.title)} was submitted before with other fields: {names}"
    return Problem("title", what, "give a fresh title, or submit it unchanged", kind="conflict")


def _is_of_file(change: Difference) -> bool:
    """Return whether an entry of a mapping differs only as it does after a table was saved and read."""
    return "." in change.field and None not in (change.a, change.b) and alike(change.a) == alike(change.b)


def why_no_pictures(earlier: Submission) -> str:
    """Describe why a tune has no pictures, according to its records; empty if it may have some.

    Parameters
    ----------
    earlier : Submission
    """
    return why_no_pictures_in(earlier.record or {})


def why_no_pictures_in(record: Mapping[str, Any]) -> str:
    """Describe why a tune has no pictures, from its record; see `why_no_pictures`."""
    if record.get("status") == "deleted":
        return "which is deleted"
    return "whose training failed" if record.get("failed_at") else ""


def _counted(prompts: Sequence[object]) -> str:
    return "1 prompt" if len(prompts) == 1 else f"{len(prompts)} prompts"


def _sizes(request: Request) -> list[int]:
    return sorted(image.size for image in request.images)


def _may_contain(request: Request, sha256: str | None) -> bool:
    hashes = {image.sha256 for image in request.images}
    return sha256 is None or None in hashes or sha256 in hashes


def _has_same_images(earlier: Request, request: Request) -> bool:
    return not any(difference.field == "images" for difference in differences(earlier, request))
