"""Kill submitting processes at random moments and at every step of their log, and count what went wrong.

python tests/proofs/kills.py [ROUNDS] [--mutant NAME]

In most rounds a tune is submitted by a process that is killed, under a fault of the service, and then
submitted again, as a user would; in some it is left to itself. Some rounds run a pack on an existing tune,
which has no title, with ``once=True``. In some rounds with a title the log is deleted before the tune is
submitted again. After some rounds the log's segments, of one row each here, have the ids of other tunes in
them, as after damage to the disk. The sandbox's ledger is the judge: a title or a run that was made twice is
a duplicate, and one that was made but is not on record, not even in a deleted log, is lost. On an account
that is declared idempotent the second request returns the first tune.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import requests
from PIL import Image

from astria_nb.log import Log
from astria_nb.log import _segments as segments
from astria_nb.sandbox import SandboxServer

HERE = Path(__file__).parent
MUTANTS = (
    "no intent",
    "no settle wait",
    "no look-up",
    "blind retry",
    "title not looked for",
    "fingerprint not compared",
    "segment trusted",
)
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
    """The process that forks the ones to kill, for any number of plays."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, HERE / "submitter.py"],
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
    runs: float = 0.25,
    deletions: float = 0.25,
    damages: float = 0.25,
    submitter: Submitter | None = None,
) -> Tally:
    """Play rounds on a sandbox, each under one of the faults, and return the tally.

    Parameters
    ----------
    rounds : int
    idempotent : bool
        Of the account.
    mutant : str
        One of `MUTANTS`, or empty.
    seed : int
    faults : sequence of mapping
    runs : float
        The share of the rounds that run a pack on an existing tune.
    deletions : float
        The share of the others in which the log is deleted.
    damages : float
        The share of the rounds after which segments are damaged.
    submitter : Submitter, optional
        Default: one that is closed in the end.
    """
    if submitter is None:
        with closing(Submitter()) as own:
            return play(
                rounds, idempotent=idempotent, mutant=mutant, seed=seed, faults=faults,
                runs=runs, deletions=deletions, damages=damages, submitter=own,
            )  # fmt: skip
    chance, tally = random.Random(seed), Tally()
    deck: list[Mapping[str, Any]] = []  # a few rounds have to meet every fault, in any order
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo = folder / "1.jpg"
        Image.new("RGB", (64, 64)).save(photo)
        content = photo.read_bytes()
        photo.write_bytes(content[:-2] + bytes(2 * 2**20) + content[-2:])
        with SandboxServer(idempotent=idempotent) as sandbox:
            place = {"log": str(folder / "log.sqlite"), "url": sandbox.url, "key": sandbox.api_key}
            place["mutant"] = mutant
            pace = pace_of(submitter, place, photo)
            # The service finishes after a process was killed and another one has looked, not before.
            late = max(0.4, 4 * pace)
            # It does finish within the settle wait, however slow this machine is: that is the premise.
            settle = max(0.3, 3 * pace)
            for number in range(rounds):
                encoding = chance.choice(["multipart", "form", "json"])
                order = place | {
                    "title": f"round {number}",
                    "encoding": encoding,
                    "images": [str(photo)] if encoding == "multipart" else [],
                    "idempotent": idempotent,
                    "settle": settle,
                }
                sandbox.heal()
                is_run = chance.random() < runs
                if is_run:
                    order |= {"images": [], "tune_id": train(sandbox, f"base {number}")}
                    order["encoding"] = chance.choice(["multipart", "form", "json"])
                deck = deck or chance.sample(list(faults), len(faults))
                fault = dict(deck.pop())
                if fault.get("commit") == "late":
                    fault["seconds"], order["settle"] = late, late + settle
                if fault:
                    sandbox.fail(fault.pop("fault"), "POST /p/*/tunes", **fault)
                way = chance.choices(["moment", "step", "alone"], [5, 3, 2])[0]
                step = {"step": chance.randrange(STEPS)} if way == "step" else {}
                moment = chance.uniform(0, 1.5 * pace) if way == "moment" else None
                tally.killed += submitter.submit(order | step, moment) == -signal.SIGKILL
                sandbox.heal()
                if not is_run and chance.random() < deletions:
                    # As after any deletion, what the service is still working on is not on the account yet.
                    time.sleep(order["settle"] + settle)
                    delete(folder, number)
                if way != "alone":
                    submitter.submit(order)
                if chance.random() < damages:
                    damage_segments(folder / "log.sqlite")
            time.sleep(2 * late)
            with trusting_segments(mutant == "segment trusted"):
                judge(sandbox, folder, tally)
    return tally


def train(sandbox: SandboxServer, title: str) -> int:
    """Train a tune to run a pack on, without this package."""
    fields = {"title": title, "name": "cat", "image_urls": ["https://example.com/1.jpg"]}
    key = {"Authorization": f"Bearer {sandbox.api_key}"}
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(f"{sandbox.url}/p/797/tunes", json={"tune": fields}, headers=key)
    return int(answer.json()["id"])


def delete(folder: Path, number: int) -> None:
    """Delete the log, for the processes; the judge still reads it."""
    kept = folder / f"deleted-{number}"
    kept.mkdir()
    for file in folder.glob("log.sqlite*"):
        file.rename(kept / file.name)


def damage_segments(path: Path) -> None:
    """Change the ids of the tunes in each segment of a log."""
    if not path.exists():
        return
    with closing(sqlite3.connect(path, timeout=30)) as file, file:
        for number, stream in file.execute("SELECT id, arrow FROM segment").fetchall():
            table = pa.ipc.open_stream(stream).read_all()
            ids = pc.add(table["id"], 1_000_000)
            table = table.set_column(table.column_names.index("id"), "id", ids)
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
            file.execute("UPDATE segment SET arrow = ? WHERE id = ?", (sink.getvalue().to_pybytes(), number))
    file.close()


@contextlib.contextmanager
def trusting_segments(is_mutant: bool) -> Iterator[None]:
    """Be the mutant that reads segments without comparing their checksums."""
    compare = segments.of_segment
    if is_mutant:
        segments.of_segment = AnyChecksum
    yield
    segments.of_segment = compare


class AnyChecksum:
    """A checksum that is never found to be another one."""

    def __init__(self, *_: object) -> None:
        pass

    def __ne__(self, _: object) -> bool:
        return False


def pace_of(submitter: Submitter, place: dict[str, str], photo: Path) -> float:
    """Return how many seconds a submission takes here and now: on a busy machine, kill later."""
    order = place | {"encoding": "multipart", "images": [str(photo)], "idempotent": False, "settle": 0.1}
    submitter.submit(order | {"title": "first"})
    started = time.monotonic()
    submitter.submit(order | {"title": "second"})
    return time.monotonic() - started


def judge(sandbox: SandboxServer, folder: Path, tally: Tally) -> None:
    """Hold the logs against the ledger."""
    created: dict[str, list[int]] = {}  # the tunes of each title, and the prompts of each run
    for request in sandbox.ledger:
        if not request.tune_ids and not request.prompt_ids:
            continue
        assert request.params is not None
        if base := request.params.get("tune_ids"):
            created.setdefault(f"run on {base}", []).extend(request.prompt_ids)
        elif (title := str(request.params["title"])).startswith("round"):
            created.setdefault(title, []).extend(request.tune_ids)
    recorded: set[int] = set()
    for path in [folder / "log.sqlite", *folder.glob("deleted-*/log.sqlite")]:
        log = Log(path)
        frame = log.frame()
        log.close()
        recorded.update(frame["id"].dropna().astype(int), *frame["prompt_ids"].dropna())
        tally.ended.update(frame["state"])
    tally.duplicates = [name for name, ids in created.items() if len(ids) > 1]
    tally.lost = [name for name, ids in created.items() if ids and not recorded & set(ids)]


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
