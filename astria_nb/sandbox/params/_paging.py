"""Lists: `limit`, `before_id` and `offset` (astria-api, section 7)."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from astria_nb.sandbox._errors import bad_request
from astria_nb.sandbox.params import casts
from astria_nb.sandbox.params._tree import Params

DEFAULT_LIMIT = 20
MAX_LIMIT = 120


class Numbered(Protocol):
    """Something with an id."""

    @property
    def id(self) -> int:
        """The id."""


Row = TypeVar("Row", bound=Numbered)


def page(
    rows: Sequence[Row], query: Params, *, max_offset: int | None = None, above_maximum: str = "clamp"
) -> Sequence[Row]:
    """Return the part of a list that a query asks for.

    Parameters
    ----------
    rows : sequence
        The complete list, newest first.
    query : mapping
        The parameters of the query string.
    max_offset : int, optional
        The largest `offset` to accept; by default there is no limit.
    above_maximum : {"clamp", "refuse"}
        Whether a `limit` above 120 counts as 120 or is an error.

    Raises
    ------
    Refusal
        400 for a value that is not a whole number, or exceeds its maximum.
    """
    limit = _number(query, "limit", DEFAULT_LIMIT, at_least=1)
    if limit > MAX_LIMIT and above_maximum == "refuse":
        raise bad_request(f"limit must be at most {MAX_LIMIT}")
    offset = _number(query, "offset", 0)
    if max_offset is not None and offset > max_offset:
        raise bad_request(f"offset must be at most {max_offset}; use before_id to go further")
    if "before_id" in query:
        before_id = _number(query, "before_id", 0)
        rows = [row for row in rows if row.id < before_id]
    return rows[offset : offset + min(limit, MAX_LIMIT)]


def _number(query: Params, name: str, default: int, at_least: int = 0) -> int:
    if name not in query:
        return default
    number = casts.whole_number(query[name])
    if number is None or number < at_least:
        raise bad_request(f"{name} must be a whole number, {at_least} or more")
    return number
