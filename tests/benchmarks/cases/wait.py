"""A round of `wait`, beside parsing the pages that it fetches."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.protocol import Case, Figure

PAGE, ROUNDS = 120, 10  # `wait` pauses longer and longer, 100 s in all between 20 rounds


@contextmanager
def prepare(folder: Path, tunes: int) -> Iterator[dict[str, Any]]:
    from benchmarks.services import serving

    with serving("picture_service.py", tunes, 0, 0) as url:
        yield {"url": url}


def peer(url: str, tunes: int) -> dict[str, Any]:
    import json
    import time
    from urllib.request import urlopen

    pages, before = [], 10**9
    while before > 1000:
        with urlopen(f"{url}/tunes?limit={PAGE}&before_id={before}") as reply:
            pages.append(reply.read())
        before = json.loads(pages[-1])[-1]["id"]
    assert len(pages) == -(-tunes // PAGE)
    processor = time.process_time()
    for _ in range(ROUNDS):
        assert [json.loads(page) for page in pages]
    return {"processor": (time.process_time() - processor) / ROUNDS}


def ours(url: str, tunes: int) -> dict[str, Any]:
    import time

    import astria_nb as anb

    client = anb.Client("sd_benchmark", base_url=url)
    rows = anb.rows.tune_frame(list(client.tunes(limit=tunes)))
    pages, list_page = -(-tunes // PAGE), client.tunes
    worked: list[float] = []  # at the request of each page

    def count(**options: Any) -> Any:
        worked.append(time.process_time())
        if len(worked) > pages * (1 + ROUNDS):
            raise KeyboardInterrupt
        return list_page(**options)

    client.tunes = count
    with suppress(KeyboardInterrupt):
        anb.wait(rows, client, poll=0)
    return {"processor": (worked[-1] - worked[pages]) / ROUNDS}


CASE = Case(
    what="a round of `wait` in which nothing changed",
    against="parsing the pages that it fetches by `json.loads`",
    ours=ours,
    peer=peer,
    prepare=prepare,
    figures=(Figure("processor", "processor", most=3),),
    sizes={"tunes": 1000},
    small={"tunes": 20},
)
