"""A running sandbox, a session that sends its key, and images to train with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from astria_nb.sandbox import SandboxServer
from sandbox.helpers.api import Api, image_bytes


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(deterministic=True) as server:
        yield server


@pytest.fixture
def api(sandbox: SandboxServer) -> Iterator[Api]:
    with Api(sandbox) as session:
        yield session


@pytest.fixture(scope="session")
def jpeg() -> bytes:
    return image_bytes("JPEG")


@pytest.fixture
def photos(tmp_path: Path, jpeg: bytes) -> Path:
    """A folder with four photos, `1.jpg` to `4.jpg`."""
    for number in range(1, 5):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg + bytes([number]))
    return tmp_path
