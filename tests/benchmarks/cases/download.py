"""Downloading many pictures, hashed and durable, beside curl, which is neither."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.protocol import Case, Figure

CONNECTIONS = "8"


@contextmanager
def prepare(folder: Path, pictures: int, size: int) -> Iterator[dict[str, Any]]:
    from benchmarks.services import serving

    with serving("picture_service.py", 0, pictures, size) as url:
        yield {"url": url, "folder": str(folder)}


def peer(url: str, folder: str, pictures: int, size: int) -> dict[str, Any]:
    import subprocess
    import tempfile
    import time

    with tempfile.TemporaryDirectory(dir=folder) as name:
        files = [
            f'url = "{url}/picture/{number}.jpg"\noutput = "{name}/{number}.jpg"'
            for number in range(pictures)
        ]
        (config := Path(name) / "curl.txt").write_text("\nnext\n".join(files))
        options = ["-sf", "--no-progress-meter", "--parallel", "--parallel-max", CONNECTIONS]
        started = time.perf_counter()
        subprocess.run(["curl", *options, "-K", config], check=True)
        seconds = time.perf_counter() - started
        assert len(list(Path(name).glob("*.jpg"))) == pictures
    return {"seconds": seconds}


def ours(url: str, folder: str, pictures: int, size: int) -> dict[str, Any]:
    import tempfile
    import time

    import astria_nb as anb

    client = anb.Client("sd_benchmark", base_url=url)
    few, rows = (anb.rows.tune_frame([client.tune(id_)]) for id_ in (7, 8))
    with tempfile.TemporaryDirectory(dir=folder) as first:
        anb.download(few, client, first)  # everything is imported
    with tempfile.TemporaryDirectory(dir=folder) as name:
        started, processor = time.perf_counter(), time.process_time()
        files = anb.download(rows, client, name, max_workers=int(CONNECTIONS))
        seconds, worked = time.perf_counter() - started, time.process_time() - processor
    assert len(files) == pictures
    assert set(files["status"]) == {"saved"}
    return {"seconds": seconds, "processor": worked}


CASE = Case(
    what="`download` of many pictures, hashed and durable, from a service without delay",
    against="`curl --parallel` with as many connections",
    ours=ours,
    peer=peer,
    prepare=prepare,
    figures=(
        Figure("seconds", "time", most=1.8),
        Figure("processor", "processor", most=0.7, beside="today"),
    ),
    sizes={"pictures": 350, "size": 1_000_000},
    small={"pictures": 9, "size": 300_000},
    rounds=7,
    needs=("curl",),
)
