"""Groups of similar rows: undocumented fields of the API have the same types in all of them.

Such a field becomes a column with the common type of its values. Rows may be removed from a segment, and with
them the values that determined the type. So a segment holds only rows that have the same type on their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

import pyarrow as pa

from astria_nb import rows
from astria_nb.log._parsed_rows import ParsedRow
from astria_nb.utils.json_values import to_text
from astria_nb.utils.typed_table import infer_type

_DOCUMENTED = frozenset(rows.TUNE_SCHEMA.names)
Types = dict[str, pa.DataType]
T = TypeVar("T")


def types_of(row: ParsedRow) -> Types:
    """Return the types of fields that the API does not document."""
    # By the names of the columns: two keys may become the same text, and then the last one counts.
    values = {to_text(name): value for name, value in row.tune.items() if name not in _DOCUMENTED}
    return {name: infer_type(value) for name, value in values.items() if value is not None}


class Alike(Generic[T]):
    """Rows, or tables of rows, sorted into groups of the same types.

    Parameters
    ----------
    size : int
        The number of items in a complete group.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._groups: list[tuple[Types, list[T]]] = []

    def add(self, types: Types, item: T) -> tuple[Types, list[T]] | None:
        """Add an item with these types, and return its group if it is now complete, with the types."""
        for number, (common, group) in enumerate(self._groups):
            if all(common.get(name, type_) == type_ for name, type_ in types.items()):
                common.update(types)
                group.append(item)
                return self._groups.pop(number) if len(group) == self._size else None
        self._groups.append((dict(types), [item]))
        return self._groups.pop() if self._size == 1 else None

    def rest(self) -> Iterator[list[T]]:
        """Yield the incomplete groups."""
        yield from (group for _, group in self._groups)
