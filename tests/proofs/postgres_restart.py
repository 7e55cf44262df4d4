"""Kill and restart a real PostgreSQL while a pool of threads submits, and count what went wrong.

python tests/proofs/postgres_restart.py [RUNS] [--tunes 60] [--threads 8]

The log is in a database of a server that is killed (SIGKILL of its first process) in one half of the runs and
restarted cleanly in the other, at two random moments of each. The sandbox's ledger is the judge: a title that
was made twice is a duplicate; one that was made, and whose submission is not recorded as done or adopted with
that tune, is lost. A call that fails, or a server whose absence nobody mentions, is counted too.
"""

import argparse
import random
import signal
import sys
import threading
import time
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import astria_nb as anb
from helpers.postgres_server import PostgresServer


@dataclass
class Tally:
    """What came out of some runs."""

    runs: int = 0
    stops: int = 0
    tunes: int = 0
    lines: int = 0
    duplicates: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    repeated_events: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.duplicates or self.lost or self.failed or self.repeated_events)

    def __str__(self) -> str:
        return (
            f"{self.runs} runs, {self.stops} times without a server, {self.tunes} tunes: "
            f"{len(self.duplicates)} duplicates, {len(self.lost)} lost, {len(self.failed)} calls failed, "
            f"{len(self.repeated_events)} events twice, {self.lines} lines"
        )


def play(runs: int, tunes: int, threads: int, *, seed: int = 0) -> Tally:
    """Submit tunes in some runs, each with a server that goes away, and return the tally."""
    chance, tally = random.Random(seed), Tally()
    server = PostgresServer()
    try:
        server.start()
        with anb.Sandbox() as sandbox, warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for number in range(runs):
                _play_one(server, sandbox, number, tunes, threads, chance, tally)
        tally.lines = sum("went away" in str(warning.message) for warning in caught)
    finally:
        server.remove()
    return tally


def _play_one(
    server: PostgresServer,
    sandbox: anb.Sandbox,
    number: int,
    tunes: int,
    threads: int,
    chance: random.Random,
    tally: Tally,
) -> None:
    log, client = anb.ExperimentLog(server.address()), sandbox.client()
    titles = [f"{number}.{index}" for index in range(tunes)]
    done = Counter[str]()
    # The server goes away once so many are done: a moment that does not depend on the machine.
    moments = sorted(chance.sample(range(1, max(3, 3 * tunes // 4)), 2))
    kind = signal.SIGKILL if number % 2 == 0 else signal.SIGINT

    def submit(title: str) -> None:
        tune = anb.Tune(pack=43, name="cat", title=title, image_urls=["https://example.com/1.jpg"])
        try:
            anb.submit(tune, client, log=log, settle=0, say=lambda *_: None, on_sent=lambda *_: None)
            done[title] += 1
        except anb.errors.AstriaError as error:
            tally.failed.append(f"{title}: {error}")

    def disturb() -> None:
        for moment in moments:
            while len(done) < moment and not is_over.is_set():
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.05))
            server.stop(kind)
            time.sleep(chance.uniform(0, 0.5))
            server.start()
            tally.stops += 1

    is_over = threading.Event()
    disturber = threading.Thread(target=disturb)
    disturber.start()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(submit, titles))
    is_over.set()
    disturber.join()
    tally.runs, tally.tunes = tally.runs + 1, tally.tunes + tunes
    _judge(log, sandbox, {*titles}, tally)
    log.close()


def _judge(log: anb.ExperimentLog, sandbox: anb.Sandbox, titles: set[str], tally: Tally) -> None:
    made: dict[str, list[int]] = {}
    for request in sandbox.ledger:
        if request.tune_ids:
            assert request.params is not None
            made.setdefault(str(request.params["title"]), []).extend(request.tune_ids)
    frame = log.frame()
    recorded = {
        title: (state, tune_id)
        for title, state, tune_id in zip(frame["title"], frame["state"], frame["id"], strict=True)
    }
    for title in titles:
        ids = made.get(title, [])
        if len(ids) > 1:
            tally.duplicates.append(title)
        state, tune_id = recorded.get(title, ("", 0))
        if state not in ("done", "adopted") or [tune_id] != ids:
            tally.lost.append(f"{title}: made {ids}, recorded {state} {tune_id}")
    events = log.events()
    keys = events[["kind", "title", "attempt"]]
    of_run = keys[events["title"].isin(titles) & events["kind"].isin(["planned", "done"])]
    tally.repeated_events += of_run[of_run.duplicated()]["title"].tolist()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", type=int, nargs="?", default=10)
    parser.add_argument("--tunes", type=int, default=60)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    tally = play(options.runs, options.tunes, options.threads, seed=options.seed)
    print(tally)
    print(*tally.duplicates, *tally.lost, *tally.failed, sep="\n")
    return 0 if tally.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
