"""A script that submits one tune and shows its row, from the start of Python to its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.protocol import Case, Figure


@contextmanager
def prepare(folder: Path, **_: Any) -> Iterator[dict[str, Any]]:
    from benchmarks.services import serving

    with serving("service.py", 0, 1, 0, 1) as url:
        yield {"argv": [url, str(folder)]}


CASE = Case(
    what="a script that submits one tune, with a new log",
    against="a script of requests and pandas, no record",
    ours="""
import os, sys, uuid
url, folder = sys.argv[1:]
os.environ["ASTRIA_NB_LOG"] = os.path.join(folder, f"{uuid.uuid4()}.sqlite")
import astria_nb as anb
tune = anb.Tune(pack=797, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
print(anb.submit(tune, anb.Client("sd_benchmark", base_url=url))[["id", "title"]])
""",
    peer="""
import sys
import pandas as pd, requests
url, folder = sys.argv[1:]
session = requests.Session()
session.headers["Authorization"] = "Bearer sd_benchmark"
session.get(f"{url}/p/797").raise_for_status()
fields = {"title": "t", "name": "cat", "image_urls": ["https://example.com/1.jpg"]}
reply = session.post(f"{url}/p/797/tunes", json={"tune": fields})
reply.raise_for_status()
print(pd.DataFrame([reply.json()])[["id", "title"]])
""",
    prepare=prepare,
    figures=(Figure("seconds", "time", most=1.35), Figure("processor", "processor time")),
    rounds=15,
)
