"""The API's JSON in an argument: a list of objects, an iterable of objects, or a single one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from astria_nb.errors import Problem, TuneError
from astria_nb.utils.formatting import short

Records: TypeAlias = Iterable[Mapping[str, Any]] | Mapping[str, Any]
"""Objects of the API's JSON, also from a generator, or a single object."""


def list_records(field: str, value: object) -> list[Mapping[str, Any]]:
    """Return the objects of an argument in a list.

    Parameters
    ----------
    field : {"tunes", "prompts"}
        The argument's name, which is also the name of the client's method that returns such objects.
    value : iterable of mapping, or mapping

    Raises
    ------
    TuneError
        One of them is not an object.
    """
    records: list[Any] = [value]
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        records = list(value)
    for record in records:
        if not isinstance(record, Mapping):
            hint = f"pass client.{field}(…), or rows in any other form to anb.rows.typed"
            raise TuneError(Problem(field, f"{short(record)} is not the API's JSON", hint))
    return records
