"""Rows of two logs that belong to the same submission, and rows that cannot both be in one log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from astria_nb.log._merged_records import RecordedTune
from astria_nb.log._states import HAS_TUNE, RELEASED

Row = dict[str, Any]


def counterpart(here: Row, candidates: Iterable[Row]) -> Row | None:
    """Return the row there of the same submission or the same tune, or None.

    Parameters
    ----------
    here : dict
        The columns of a submission.
    candidates : iterable of dict
        The submissions there of the same service and title.
    """
    matching = [there for there in candidates if _is_same_tune(here, there) or _is_same_plan(here, there)]
    # Each log may have found a tune for a different plan of its title: then that is the counterpart.
    return max(
        matching, key=lambda there: (_is_same_tune(here, there), _is_same_plan(here, there)), default=None
    )


def _is_same_plan(here: Row, there: Row) -> bool:
    return all(here[name] == there[name] for name in ("service", "title", "planned_at", "fingerprint"))


def _may_be_of_one(here: Row, there: Row) -> bool:
    return here["account"] is None or there["account"] in (None, here["account"])


def _is_same_tune(here: Row, there: Row) -> bool:
    has_tune = here["tune_id"] is not None and here["tune_id"] == there["tune_id"]
    return has_tune and _may_be_of_one(here, there)


def claim_the_same(here: Row, there: Row) -> bool:
    """Return whether two rows with the same title cannot be in one log: both may exist on the service."""
    is_titled = here["title"] is not None and _may_be_of_one(here, there)
    return is_titled and here["state"] not in RELEASED and there["state"] not in RELEASED


def are_of_two_tunes(
    here: Row, there: Row, record_here: RecordedTune | None, record_there: RecordedTune | None
) -> bool:
    """Return whether the logs have found different tunes, or different prompts, of one submission.

    Parameters
    ----------
    here, there : dict
    record_here, record_there : RecordedTune or None
        None if they are the same.
    """
    if not have_both_tunes(here, there):
        return False
    if here["tune_id"] is not None and there["tune_id"] is not None:
        return bool(here["tune_id"] != there["tune_id"])
    both = record_here, record_there
    prompts = [record.fields.get("prompt_ids") for record in both if record is not None]
    return None not in prompts and len(prompts) == 2 and prompts[0] != prompts[1]


def have_both_tunes(here: Row, there: Row) -> bool:
    """Return whether the outcome is known in both logs, so that neither can be changed any more."""
    return here["state"] in HAS_TUNE and there["state"] in HAS_TUNE


def is_newer(here: Row, there: Row) -> bool:
    """Return whether a submission has changed since it was copied; a recorded tune is never removed."""
    if there["state"] in HAS_TUNE and here["state"] not in HAS_TUNE:
        return False
    if here["planned_at"] != there["planned_at"]:  # both logs have recorded the same tune
        return False
    is_found = here["state"] in HAS_TUNE and there["state"] not in HAS_TUNE
    return is_found or (here["version"], here["changed_at"]) > (there["version"], there["changed_at"])
