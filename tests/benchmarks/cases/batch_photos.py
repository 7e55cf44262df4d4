"""A batch of tunes with photos, hashed and recorded, beside curl, which only sends them.

All photos are different, and then a few are sent in turn, as the same person's with other settings: what was
found out about a file is remembered until it changes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.protocol import Case, Figure

CONNECTIONS, PHOTOS, IN_TURN = 8, 4, 100


@contextmanager
def prepare(folder: Path, rows: int, kilobytes: int) -> Iterator[dict[str, Any]]:
    from benchmarks import jpeg_files
    from benchmarks.services import serving

    with serving("service.py", 0.0) as url:
        count = PHOTOS * rows
        paths = [*map(str, jpeg_files.photos(folder, count + min(count, IN_TURN), kilobytes * 1000))]
        yield {"url": url, "folder": str(folder), "different": paths[:count], "in_turn": paths[count:]}


def groups(paths: list[str], rows: int) -> list[list[str]]:
    """Return the photos of each row; the rows take turns."""
    from itertools import cycle, islice

    return list(islice(cycle([paths[at : at + PHOTOS] for at in range(0, len(paths), PHOTOS)]), rows))


def peer(
    url: str, folder: str, different: list[str], in_turn: list[str], rows: int, kilobytes: int
) -> dict[str, Any]:
    return {
        "seconds": curl(url, folder, groups(different, rows)),
        "turn": curl(url, folder, groups(in_turn, rows)),
    }


def curl(url: str, folder: str, photos: list[list[str]]) -> float:
    """Send the rows, and return the seconds."""
    import os
    import subprocess
    import time

    parts = []
    for number, group in enumerate(photos):
        forms = "".join(f'form = "tune[images][]=@{path}"\n' for path in group)
        fields = f'form = "tune[title]=t{number}"\nform = "tune[name]=cat"\n{forms}'
        parts.append(f'url = "{url}/p/797/tunes"\noutput = "{os.devnull}"\n{fields}')
    (config := Path(folder) / "curl.txt").write_text("next\n".join(parts))
    options = ["-sf", "--no-progress-meter", "--parallel", "--parallel-max", str(CONNECTIONS)]
    started = time.perf_counter()
    subprocess.run(["curl", *options, "-K", config], check=True)
    return time.perf_counter() - started


def ours(
    url: str, folder: str, different: list[str], in_turn: list[str], rows: int, kilobytes: int
) -> dict[str, Any]:
    import tempfile
    import time
    from contextlib import closing

    import pandas as pd

    import astria_nb as anb

    def submit(name: str, **images: list[Any]) -> tuple[float, float]:
        """Send a batch, and return the seconds and those of the processor."""
        keys = [f"{name} {row}" for row in range(len(next(iter(images.values()))))]
        frame = pd.DataFrame({"key": keys, "pack": 797, "name": "cat", **images})
        options = {"max_workers": CONNECTIONS, "keep_damaged": True, "say": lambda *_: None}
        started, processor = time.perf_counter(), time.process_time()
        done = anb.submit_many(frame, client, log=log, **options)
        seconds = time.perf_counter() - started, time.process_time() - processor
        assert set(done["state"]) == {"done"}, done["error"].dropna().iloc[0]
        return seconds

    with (
        tempfile.TemporaryDirectory(dir=folder) as name,
        closing(anb.ExperimentLog(f"{name}/log.sqlite")) as log,
        closing(anb.Client("sd_benchmark", base_url=url)) as client,
    ):
        submit("first", image_urls=[["https://example.com/1.jpg"]])  # everything is imported
        seconds, processor = submit("different", images=groups(different, rows))
        turn, _ = submit("in turn", images=groups(in_turn, rows))
    return {"seconds": seconds, "processor": processor, "turn": turn}


CASE = Case(
    what="`submit_many` of four photos a row on eight connections, the check for damage off",
    against="`curl --parallel -F`",
    ours=ours,
    peer=peer,
    prepare=prepare,
    figures=(
        Figure("seconds", "time, all photos different", most=1.3),
        Figure("turn", f"time, the same {IN_TURN} photos in turn", most=1.3),
        Figure("processor", "processor, beside an earlier build", beside="today"),
    ),
    sizes={"rows": 300, "kilobytes": 3000},
    small={"rows": 4, "kilobytes": 100},
    rounds=5,
    needs=("curl",),
)
