"""One upload of photos whose location is removed, beside ``curl -F``, which sends it along.

Ours is timed from opening the first file, in a process that has imported everything; curl as a whole process,
which starts in a few milliseconds. curl does not hash the files: on a connection as fast as this one, hashing
for the log ends after the answer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.protocol import Case, Figure

KB = 1000


@contextmanager
def prepare(folder: Path, photos: int, kilobytes: int) -> Iterator[dict[str, Any]]:
    from benchmarks import jpeg_files
    from benchmarks.services import serving

    with serving("sink.py") as url:
        paths = jpeg_files.photos(folder, photos, kilobytes * KB)
        yield {"url": url, "paths": [str(path) for path in paths]}


def peer(url: str, paths: list[str], photos: int, kilobytes: int) -> dict[str, Any]:
    import os
    import subprocess
    import time

    files = [part for path in paths for part in ("-F", f"tune[images][]=@{path}")]
    command = ["curl", "-sf", "-o", os.devnull, "-F", "tune[title]=t", "-F", "tune[name]=man", *files]
    started = time.perf_counter()
    subprocess.run([*command, f"{url}/p/43/tunes"], check=True)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "hashed": seconds}


def ours(url: str, paths: list[str], photos: int, kilobytes: int) -> dict[str, Any]:
    import time

    import pandas  # noqa: F401  a process that submits has it: it takes the most memory of all

    import astria_nb as anb
    import astria_nb.submission._submit
    from astria_nb.images import Preprocessing
    from astria_nb.tune._encoding import encode
    from benchmarks.side import peak_memory

    client = anb.Client("sd_benchmark", base_url=url)
    tune = anb.Tune(pack=43, title="t", name="man", images=paths)
    with_address = anb.Tune(pack=43, title="t", name="man", image_urls=["https://example.com/1.jpg"])
    client.create_tune(43, encode(with_address))
    idle, started = peak_memory(), time.perf_counter()
    with encode(tune, preprocessing=Preprocessing(keep_damaged=True)) as body:
        client.create_tune(43, body)
        seconds = time.perf_counter() - started
        assert all(body.image_sha256)
    return {"seconds": seconds, "hashed": time.perf_counter() - started, "added": peak_memory() - idle}


CASE = Case(
    what="an upload of photos without their metadata, the check for damage off",
    against="`curl -F` on loopback",
    ours=ours,
    peer=peer,
    prepare=prepare,
    figures=(
        Figure("seconds", "time to the answer", most=1.15),
        Figure("hashed", "time until all files are hashed", most=2.0),
        Figure("added", "memory that it adds", most=4_000_000, beside=None, unit="B"),
    ),
    sizes={"photos": 20, "kilobytes": 10_000},
    small={"photos": 20, "kilobytes": 50},
    rounds=9,
    needs=("curl",),
)
