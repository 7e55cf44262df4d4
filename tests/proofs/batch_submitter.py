"""A process that runs batches, or single rows of one, in children of its own, for a judge to kill.

Reads a line of JSON for each order; forks, and prints the child's number; then, when the child has ended,
how. It has everything imported, so that a child is at work within milliseconds.
"""

import base64
import json
import os
import pickle
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

import astria_nb as anb
from proofs.batch_mutants import mutated


def tunes(round_: int, rows: list[int]) -> pd.DataFrame:
    """Return the frame of a round; a row's content says which it is."""
    urls = [[f"https://example.com/{round_}-{row}.jpg"] for row in rows]
    return pd.DataFrame({"pack": 797, "name": "cat", "image_urls": urls})


def run_cell(order: dict[str, Any]) -> None:
    """Submit a frame as a cell of a notebook does."""
    client = anb.Client(base_url=order["url"])
    with mutated(order["mutant"]):
        frame = anb.submit_many(
            tunes(order["round"], order["rows"]), client, log=anb.ExperimentLog(order["log"]),
            max_workers=4, settle=order["settle"], say=lambda *_: None,
        )  # fmt: skip
    Path(order["result"]).write_text(frame[["state", "error"]].to_json(orient="records"), "utf-8")


def run_parcel(order: dict[str, Any]) -> None:
    """Do what a worker was sent, and store what it answers."""
    function, argument = pickle.loads(base64.b64decode(order["parcel"]))
    with mutated(order["mutant"]):
        outcome = function(argument)
    Path(order["result"]).write_bytes(pickle.dumps(outcome))


def main() -> None:
    anb.submit_many, anb.Client, anb.ExperimentLog  # noqa: B018  imported once, for all children
    for module in ("log._database", "log._frames", "submission.batch._worker", "client.snippets"):
        import_module(f"astria_nb.{module}")
    import_module("psutil")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            status = 9
            try:
                order = json.loads(line)
                os.environ["ASTRIA_API_KEY"] = order["key"]
                (run_parcel if "parcel" in order else run_cell)(order)
                status = 0
            finally:
                os._exit(status)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
