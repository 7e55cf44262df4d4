"""Rows that are alike: what the API does not document has one type in all of them.

Such a field becomes a column with the common type of its values. A segment outlives some of its rows, and
with them what made that type common, so it holds only rows of which each alone would have it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from astria_nb import rows
from astria_nb.log._parsed_rows import ParsedRow
from astria_nb.utils.arrow import infer_type

_DOCUMENTED = frozenset(rows.TUNE_SCHEMA.names)


class AlikeRows:
    """Rows with a record, sorted into groups that are alike.

    Parameters
    ----------
    size : int
        The number of rows of a group that is complete.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._groups: list[tuple[dict[str, pa.DataType], list[ParsedRow]]] = []

    def add(self, row: ParsedRow) -> list[ParsedRow]:
        """Add a row, and return its group if that is complete now, else nothing."""
        tune = row.tune
        types = {name: infer_type(tune[name]) for name in tune.keys() - _DOCUMENTED if tune[name] is not None}
        for number, (common, group) in enumerate(self._groups):
            if all(common.get(name, type_) == type_ for name, type_ in types.items()):
                common.update(types)
                group.append(row)
                return self._groups.pop(number)[1] if len(group) == self._size else []
        self._groups.append((types, [row]))
        return self._groups.pop()[1] if self._size == 1 else []

    def rest(self) -> Iterator[list[ParsedRow]]:
        """Yield the groups that are not complete."""
        yield from (group for _, group in self._groups)
