"""A batch of tunes with photos, hashed and recorded, beside curl, which only sends them.

The photos are sent in turn, each with several tunes: what was found out about a file is remembered until it
changes. Photos that are all different take longer: each is searched for metadata, and hashed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.protocol import Case, Figure

CONNECTIONS, PHOTOS, FILES = 8, 4, 100


@contextmanager
def prepare(folder: Path, rows: int, kilobytes: int) -> Iterator[dict[str, Any]]:
    from benchmarks import jpeg_files
    from benchmarks.services import serving

    with serving("service.py", 0.0) as url:
        paths = jpeg_files.photos(folder, min(PHOTOS * rows, FILES), kilobytes * 1000)
        yield {"url": url, "folder": str(folder), "paths": [str(path) for path in paths]}


def groups(paths: list[str], rows: int) -> list[list[str]]:
    """Return the photos of each row; the rows take turns."""
    from itertools import cycle, islice

    return list(islice(cycle([paths[at : at + PHOTOS] for at in range(0, len(paths), PHOTOS)]), rows))


def peer(url: str, folder: str, paths: list[str], rows: int, kilobytes: int) -> dict[str, Any]:
    import os
    import subprocess
    import time

    parts = []
    for number, group in enumerate(groups(paths, rows)):
        forms = "".join(f'form = "tune[images][]=@{path}"\n' for path in group)
        fields = f'form = "tune[title]=t{number}"\nform = "tune[name]=cat"\n{forms}'
        parts.append(f'url = "{url}/p/797/tunes"\noutput = "{os.devnull}"\n{fields}')
    (config := Path(folder) / "curl.txt").write_text("next\n".join(parts))
    options = ["-sf", "--no-progress-meter", "--parallel", "--parallel-max", str(CONNECTIONS)]
    started = time.perf_counter()
    subprocess.run(["curl", *options, "-K", config], check=True)
    return {"seconds": time.perf_counter() - started}


def ours(url: str, folder: str, paths: list[str], rows: int, kilobytes: int) -> dict[str, Any]:
    import tempfile
    import time
    from contextlib import closing

    import pandas as pd

    import astria_nb as anb

    def submit(frame: pd.DataFrame) -> None:
        options = {"max_workers": CONNECTIONS, "keep_damaged": True, "say": lambda *_: None}
        done = anb.submit_many(frame, client, log=log, **options)
        assert set(done["state"]) == {"done"}, done["error"].dropna().iloc[0]

    fields = {"pack": 797, "name": "cat"}
    address = {"key": "first", **fields, "image_urls": [["https://example.com/1.jpg"]]}
    photos = {"key": [str(row) for row in range(rows)], **fields, "images": groups(paths, rows)}
    with (
        tempfile.TemporaryDirectory(dir=folder) as name,
        closing(anb.ExperimentLog(f"{name}/log.sqlite")) as log,
        closing(anb.Client("sd_benchmark", base_url=url)) as client,
    ):
        submit(pd.DataFrame(address))  # everything is imported
        started, processor = time.perf_counter(), time.process_time()
        submit(pd.DataFrame(photos))
        return {"seconds": time.perf_counter() - started, "processor": time.process_time() - processor}


CASE = Case(
    what=f"`submit_many` of four photos a row, {FILES} in turn, on eight connections, unchecked for damage",
    against="`curl --parallel -F`",
    ours=ours,
    peer=peer,
    prepare=prepare,
    figures=(
        Figure("seconds", "time", most=1.3),
        Figure("processor", "processor, beside an earlier build", beside="today"),
    ),
    sizes={"rows": 300, "kilobytes": 3000},
    small={"rows": 4, "kilobytes": 100},
    rounds=5,
    needs=("curl",),
)
