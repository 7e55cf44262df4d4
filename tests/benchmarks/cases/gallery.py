"""A gallery of many pictures, beside `ipywidgets.Image` in a grid; in a process without a browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.protocol import Case, Figure

IN_VIEW = 12


@contextmanager
def prepare(folder: Path, pictures: int, size: int) -> Iterator[dict[str, Any]]:
    from benchmarks.services import serving

    with serving("picture_service.py", 0, pictures, size) as url:
        yield {"url": url}


def peer(url: str, pictures: int, size: int) -> dict[str, Any]:
    import time

    import ipywidgets
    import requests

    from benchmarks.side import peak_memory

    session, before, started = requests.Session(), peak_memory(), time.perf_counter()
    urls = [f"{url}/picture/{number}.jpg" for number in range(pictures)]
    images = [ipywidgets.Image(value=session.get(address).content, width=200) for address in urls]
    grid = ipywidgets.GridBox(images)
    seconds = time.perf_counter() - started
    assert len(grid.children) == pictures
    return {"seconds": seconds, "memory": peak_memory() - before}


def ours(url: str, pictures: int, size: int) -> dict[str, Any]:
    import threading
    import time

    import astria_nb as anb
    from benchmarks.side import peak_memory

    client = anb.Client("sd_benchmark", base_url=url)
    few, rows = (anb.rows.tune_frame([client.tune(id_)]) for id_ in (7, 8))
    anb.gallery(few, client).close()  # everything is imported
    before, started, has_one = peak_memory(), time.perf_counter(), threading.Event()
    gallery = anb.gallery(rows, client)
    gallery.load_first()  # as it is displayed: these are saved with the notebook
    gallery.send = lambda message, buffers: has_one.set()
    in_view = [picture["id"] for card in gallery.cards for picture in card["pictures"]][:IN_VIEW]
    gallery._handle_custom_msg({"kind": "thumbnails", "ids": in_view}, [])  # as the page asks for them
    assert has_one.wait(60)
    seconds = time.perf_counter() - started
    assert sum(len(card["pictures"]) for card in gallery.cards) == pictures
    return {"seconds": seconds, "memory": peak_memory() - before}


CASE = Case(
    what="`gallery` of many pictures, to the first thumbnail",
    against="the same list by `ipywidgets.Image` in a grid",
    ours=ours,
    peer=peer,
    prepare=prepare,
    figures=(
        Figure("seconds", "time", most=0.3),
        Figure("memory", "memory added to the process", most=0.2, unit="B"),
    ),
    sizes={"pictures": 1000, "size": 300_000},
    small={"pictures": 9, "size": 1},
)
