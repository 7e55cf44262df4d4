"""What the tests of each format share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from astria_nb.images.metadata import without_metadata


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("photo") / "a.jpg"


@pytest.fixture(scope="module")
def stripped(path: Path) -> Callable[[bytes], bytes]:
    """Return what is sent of a photo."""

    def stripped(photo: bytes) -> bytes:
        path.write_bytes(photo)
        with path.open("rb", buffering=0) as file:
            pieces = without_metadata(file)
        return b"".join(
            photo[piece.start : piece.stop] if isinstance(piece, range) else piece for piece in pieces
        )

    return stripped
