"""The memory that a batch of many photos takes."""

import itertools
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.protocol import Case, Figure

PHOTOS, BYTES = 16, 20_000  # of a row; of a photo


@contextmanager
def prepare(folder: Path, rows: int) -> Iterator[dict[str, Any]]:
    from benchmarks.jpeg_files import photos

    paths = photos(folder, 10 * PHOTOS, BYTES)
    yield {"groups": [[*map(str, paths[start : start + PHOTOS])] for start in range(0, len(paths), PHOTOS)]}


def ours(rows: int, groups: list[list[str]]) -> dict[str, Any]:
    import tempfile

    import astria_nb as anb
    from benchmarks.cases.batch_json import frame_of
    from benchmarks.services import serving
    from benchmarks.side import peak_memory

    images = [*itertools.islice(itertools.cycle(groups), rows)]
    frame = frame_of(rows).assign(images=images).drop(columns="image_urls")
    with tempfile.TemporaryDirectory() as folder, serving("service.py", 0) as url:
        log = anb.ExperimentLog(f"{folder}/log.sqlite")
        with closing(log), closing(anb.Client("sd_benchmark", base_url=url)) as client:
            options: dict[str, Any] = {
                "log": log,
                "max_workers": 8,
                "keep_damaged": True,
                "say": lambda *_: None,
            }
            first = frame.head(20)
            anb.submit_many(first.assign(key=first["key"] + " first"), client, **options)
            before = peak_memory()
            submitted = anb.submit_many(frame, client, **options)
        assert set(submitted["state"]) == {"done"}
    return {"added": peak_memory() - before}


CASE = Case(
    what="`submit_many` of 10,000 rows of 16 photos of 20 kB",
    against="-",
    ours=ours,
    prepare=prepare,
    figures=(Figure("added", "memory added to that of 20 rows", most=150e6, beside=None, unit="B"),),
    sizes={"rows": 10_000},
    small={"rows": 4},
    rounds=1,
)
