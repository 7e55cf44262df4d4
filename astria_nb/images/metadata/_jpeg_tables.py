"""The tables of a JPEG that its scans use: an unused table can hold anything."""

from __future__ import annotations

from collections.abc import Iterator

from astria_nb.images.metadata._file_parts import Part

DQT, DHT = 0xDB, 0xC4
_Key = tuple[int, int]
"""The marker of a table's segment, and its class and number; a quantization table's precision is left out."""


class JpegTables:
    """The tables in the segments of a JPEG, and which of them are used.

    A table is valid from its segment to the next one with its number. It is used if a scan between them names
    its number: decoders may require a table that a scan names without needing it.
    """

    def __init__(self) -> None:
        self._segments: dict[int, tuple[int, list[tuple[_Key, bytes]]]] = {}  # by index of their part
        self._in_force: dict[_Key, int] = {}
        self._used = set[tuple[_Key, int]]()
        self._quantization: dict[int, int] = {}  # the number of a component's table

    @property
    def components(self) -> int:
        """How many components the frame has."""
        return len(self._quantization)

    def add(self, marker: int, content: bytes, index: int) -> None:
        """Read the tables of the segment whose part has this index."""
        tables = list(_tables(marker, content))
        self._segments[index] = marker, tables
        self._in_force |= {key: index for key, _ in tables}

    def add_frame(self, content: bytes) -> None:
        """Read a frame header: which quantization table each component has."""
        self._quantization = {content[place]: content[place + 2] for place in range(6, len(content), 3)}

    def add_scan(self, content: bytes) -> None:
        """Read a scan header: which tables its components use."""
        for place in range(1, 1 + 2 * content[0], 2):
            component, numbers = content[place : place + 2]
            keys = (
                (DHT, numbers >> 4), (DHT, 0x10 | numbers & 0xF),
                (DQT, self._quantization.get(component, component)),
            )  # fmt: skip
            self._used |= {(key, self._in_force[key]) for key in keys if key in self._in_force}

    def put_into(self, parts: list[Part]) -> None:
        """Leave out the tables that are not used."""
        for index, (marker, tables) in self._segments.items():
            last = {key: table for key, table in tables if (key, index) in self._used}
            content = b"".join(last.values())
            if len(last) < len(tables):
                parts[index] = (
                    bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2) + content if last else b""
                )


def _tables(marker: int, content: bytes) -> Iterator[tuple[_Key, bytes]]:
    while content:
        key = content[0]
        if marker == DHT:
            size = 17 + sum(content[1:17])
        else:
            size, key = (129 if key >> 4 else 65), key & 0xF
        yield (marker, key), content[:size]
        content = content[size:]
