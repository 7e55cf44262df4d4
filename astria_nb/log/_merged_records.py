"""The latest data about a tune from two logs, each of which may have polled it."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from astria_nb.log._checksums import check_body
from astria_nb.log._schema import listed
from astria_nb.log._sql import SqlConnection
from astria_nb.log._statements import Query, in_list

LABEL_KINDS = ("tag", "untag", "note", "hide", "unhide")
_OWN = ("pack", "encoding", "image_sha256", "tune_ids")  # fields that the service does not send
_DELETED = "deleted"
_RECORDS = """
    SELECT submission.id, submission.record, body.json FROM submission LEFT JOIN body ON sha256 = record
    WHERE record IS NOT NULL AND submission.id IN {}
"""
# A reply that is an array contains prompts.
_HEARD = f"""
    SELECT submission, max(at) FROM event JOIN body ON sha256 = reply
    WHERE kind NOT IN {listed(LABEL_KINDS)} AND json LIKE '{{{{%' AND submission IN {{}} GROUP BY submission
"""  # noqa: S608  constants


@dataclass(frozen=True, slots=True)
class RecordedTune:
    """A submission's record in one log.

    Attributes
    ----------
    fields : dict
    heard_at : int
        When the service last reported on the tune, in the log's format for times; 0 if no event shows it.
    """

    fields: dict[str, Any]
    heard_at: int

    @property
    def is_deleted(self) -> bool:
        """Whether the tune is no longer on the service."""
        return bool(self.fields.get("status") == _DELETED)


def read(connection: SqlConnection, ids: Collection[int]) -> dict[int, RecordedTune]:
    """Return the records of submissions that have one, by their ids.

    Raises
    ------
    DamagedError
        A record is not as written.
    """
    numbers, values = in_list(ids, "number")
    heard = dict(connection.execute(_HEARD.format(numbers), values).fetchall())
    records = {}
    for row in Query(_RECORDS.format(numbers)).rows(connection, **values):
        check_body(row["record"], row["json"], f"the record of submission {row['id']}")
        records[row["id"]] = RecordedTune(json.loads(row["json"]), heard.get(row["id"], 0))
    return records


def merged(here: RecordedTune, there: RecordedTune) -> dict[str, Any]:
    """Return the merged record of a tune, with our own fields from the other log.

    The service's own time of the tune's last change decides, which does not depend on the clocks of the two
    machines; if it is the same, the time at which each log received the data decides. A deletion does not
    change this time: the log with the latest data decides whether the tune exists.

    Examples
    --------
    >>> trained = RecordedTune({"id": 7, "updated_at": "2026-01-02", "trained_at": "2026-01-02"}, heard_at=5)
    >>> deleted = RecordedTune({"id": 7, "updated_at": "2026-01-01", "status": "deleted"}, heard_at=9)
    >>> merged(deleted, trained)
    {'id': 7, 'updated_at': '2026-01-02', 'trained_at': '2026-01-02', 'status': 'deleted'}
    """
    is_later_here = here.heard_at > there.heard_at
    fields = dict(here.fields if _is_newer(here, there) else there.fields)
    is_deleted = here.is_deleted if is_later_here else there.is_deleted
    if here.heard_at == there.heard_at:
        is_deleted = here.is_deleted or there.is_deleted
    if is_deleted:
        fields["status"] = _DELETED
    elif fields.get("status") == _DELETED:
        del fields["status"]
    return fields | {name: there.fields[name] for name in _OWN if there.fields.get(name) is not None}


def _is_newer(here: RecordedTune, there: RecordedTune) -> bool:
    changed_here, changed_there = here.fields.get("updated_at"), there.fields.get("updated_at")
    # Timestamps of one service have one format, so their text sorts like the times.
    if isinstance(changed_here, str) and isinstance(changed_there, str) and changed_here != changed_there:
        return changed_here > changed_there
    return here.heard_at > there.heard_at
