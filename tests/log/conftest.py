"""A log in a file, and one that is in a file or on a server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from astria_nb.log import Log


@pytest.fixture
def file_log(tmp_path: Path) -> Log:
    return Log(tmp_path / "log.sqlite")


@pytest.fixture(params=["file", "server"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Log]:
    """Return an empty log: what its users notice is the same wherever it is."""
    place: Any = (
        tmp_path / "log.sqlite" if request.param == "file" else request.getfixturevalue("server_address")
    )
    log = Log(place)
    yield log
    log.close()
