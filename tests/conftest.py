"""What the tests of the client half share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina
from PIL import Image

import astria_nb as anb
from wire import KEY, PACK, TUNE, Wire, reply

# No test finds, or leaves, a key in the keyring of the one who runs it; programs that tests start included.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Ask again at once, as often as ever."""
    with stamina.set_testing(True, attempts=99, cap=True):
        yield


@pytest.fixture
def wire() -> Iterator[Wire]:
    """Return a service on which pack 43 can be run and whose lists are empty."""
    with Wire().running() as running:
        running.on("GET", "/p/43", reply(PACK))
        running.on("POST", "/p/43/tunes", reply(TUNE, 201))
        running.on("GET", "/tunes", reply([]))
        yield running


@pytest.fixture
def client(wire: Wire) -> Iterator[anb.Client]:
    found = anb.Client(KEY, base_url=wire.url)
    yield found
    found.close()


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{number}.jpg" for number in (1, 2, 3, 4)]
    for number, path in enumerate(paths):
        Image.new("RGB", (64, 64 + number), "teal").save(path)
    return paths
