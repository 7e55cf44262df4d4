"""Kill submitting processes at random moments and at every step of their log, and count what went wrong.

python tests/proofs/kills.py [ROUNDS] [--mutant NAME]

In most rounds a tune is submitted by a process that is killed, under a fault of the service, and then
submitted again, as a user would; in some it is left to itself. The sandbox's ledger is the judge: a title
that was made twice is a duplicate, and a tune that was made but is not on record is lost. On an account that
is declared idempotent the second request returns the first tune.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from astria_nb.log import Log
from astria_nb.sandbox import SandboxServer

HERE = Path(__file__).parent
MUTANTS = ("no intent", "no settle wait", "no look-up", "blind retry")
SETTLE = 0.1  # seconds
FAULTS: tuple[dict[str, Any], ...] = (
    {},
    {"fault": "504", "commit": "yes"},
    {"fault": "504", "commit": "no"},
    {"fault": "504", "commit": "late"},
    {"fault": "504", "commit": "late"},
    {"fault": "reset", "commit": "late"},
    {"fault": "500", "commit": "yes"},
    {"fault": "reset", "at": "after", "commit": "yes"},
    {"fault": "reset", "at": "reply"},
    {"fault": "truncated"},
)
STEPS = 6  # writes to the log, before and after each


@dataclass
class Tally:
    """What came out of some rounds."""

    killed: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    duplicates: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        states = ", ".join(f"{count} {state}" for state, count in sorted(self.ended.items()))
        return f"{self.killed} killed, {len(self.duplicates)} duplicates, {len(self.lost)} lost ({states})"


class Submitter:
    """The process that forks the ones to kill."""

    def __init__(self, log: Path, sandbox: SandboxServer, mutant: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, HERE / "submitter.py", log, sandbox.url, sandbox.api_key, mutant],
            env={**os.environ, "NO_PROXY": "*"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def submit(self, order: dict[str, Any], kill_after: float | None = None) -> int:
        """Have a child submit, kill it after some seconds, and return how it ended; -9 when killed."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        child = int(self._process.stdout.readline())
        if kill_after is not None:
            time.sleep(kill_after)
            with contextlib.suppress(ProcessLookupError):  # it was faster
                os.kill(child, signal.SIGKILL)
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


def play(
    rounds: int,
    *,
    idempotent: bool = False,
    mutant: str = "",
    seed: int = 0,
    faults: Sequence[Mapping[str, Any]] = FAULTS,
) -> Tally:
    """Play rounds on a sandbox, each under one of the faults, and return the tally."""
    chance, tally = random.Random(seed), Tally()
    deck: list[Mapping[str, Any]] = []  # a few rounds have to meet every fault, in any order
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo = folder / "1.jpg"
        Image.new("RGB", (64, 64)).save(photo)
        content = photo.read_bytes()
        photo.write_bytes(content[:-2] + bytes(2 * 2**20) + content[-2:])
        with SandboxServer(idempotent=idempotent) as sandbox:
            submitter = Submitter(folder / "log.sqlite", sandbox, mutant)
            pace = pace_of(submitter, photo)
            # The service finishes after a process was killed and another one has looked, not before.
            late = max(0.4, 4 * pace)
            for number in range(rounds):
                encoding = chance.choice(["multipart", "form", "json"])
                order = {
                    "title": f"round {number}",
                    "encoding": encoding,
                    "images": [str(photo)] if encoding == "multipart" else [],
                    "idempotent": idempotent,
                    "settle": SETTLE,
                }
                sandbox.heal()
                deck = deck or chance.sample(list(faults), len(faults))
                fault = dict(deck.pop())
                if fault.get("commit") == "late":
                    fault["seconds"], order["settle"] = late, late + 0.3
                if fault:
                    sandbox.fail(fault.pop("fault"), "POST /p/*/tunes", **fault)
                way = chance.choices(["moment", "step", "alone"], [5, 3, 2])[0]
                step = {"step": chance.randrange(STEPS)} if way == "step" else {}
                moment = chance.uniform(0, 1.5 * pace) if way == "moment" else None
                tally.killed += submitter.submit(order | step, moment) == -signal.SIGKILL
                sandbox.heal()
                if way != "alone":
                    submitter.submit(order)
            time.sleep(2 * late)
            submitter.close()
            judge(sandbox, folder / "log.sqlite", tally)
    return tally


def pace_of(submitter: Submitter, photo: Path) -> float:
    """Return how many seconds a submission takes here and now: on a busy machine, kill later."""
    order = {"encoding": "multipart", "images": [str(photo)], "idempotent": False, "settle": SETTLE}
    submitter.submit(order | {"title": "first"})
    started = time.monotonic()
    submitter.submit(order | {"title": "second"})
    return time.monotonic() - started


def judge(sandbox: SandboxServer, path: Path, tally: Tally) -> None:
    """Hold the log against the ledger."""
    created: dict[str, list[int]] = {}
    for request in sandbox.ledger:
        for tune_id in request.tune_ids:
            assert request.params is not None
            if (title := str(request.params["title"])).startswith("round"):
                created.setdefault(title, []).append(tune_id)
    log = Log(path)
    frame = log.frame()
    log.close()
    recorded = set(frame["id"].dropna().astype(int))
    tally.ended.update(frame["state"])
    tally.duplicates = [title for title, ids in created.items() if len(ids) > 1]
    tally.lost = [title for title, ids in created.items() if not recorded & set(ids)]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("rounds", nargs="?", type=int, default=100)
    parser.add_argument("--mutant", choices=MUTANTS, default="")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    failed = False
    for idempotent in (False, True):
        started = time.monotonic()
        tally = play(options.rounds // 2, idempotent=idempotent, mutant=options.mutant, seed=options.seed)
        print(f"idempotency {'on' if idempotent else 'off'}: {tally} in {time.monotonic() - started:.0f} s")
        failed = failed or bool(tally.duplicates or tally.lost)
    return failed


if __name__ == "__main__":
    sys.exit(main())
