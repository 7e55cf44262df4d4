"""Kill downloads at random moments, and look at what they left.

python tests/proofs/download_kills.py [KILLS] [--mutant NAME]

A download is started again and again, and killed, until it gets to its end; then another folder is filled.
Now and then a file is damaged between two of them, or two of them fill one folder. After each kill, every
picture that has its name has to be whole, and every line of the record right; after a download that ended,
there is nothing else in the folder. Nothing may lie anywhere else.
"""

import argparse
import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from helpers.picture_host import a_picture, prompt, prompts  # noqa: E402
from helpers.scripted_server import KEY, Answer, Exchange, ScriptedServer  # noqa: E402

MUTANTS = ("in place", "record first", "torn record", "no sweep", "trusting")
PICTURES = 24
OWN = ("manifest.jsonl", ".manifest.lock")


@dataclass
class Tally:
    """What came out of some kills."""

    killed: int = 0
    ended: int = 0
    temporary: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.killed} killed, {self.temporary} files in the making; {self.ended} folders filled; "
            f"{len(self.wrong)} wrong {self.wrong[:3]}"
        )


class Downloads:
    """The process that forks the ones to kill."""

    def __init__(self, url: str, mutant: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, HERE / "downloader.py", url, KEY, mutant],
            env={**os.environ, "NO_PROXY": "*"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def begin(self, folder: Path) -> int:
        """Have a child download, and return its number."""
        assert self._process.stdin
        self._process.stdin.write(f"{folder}\n")
        self._process.stdin.flush()
        return int(self._line())

    def end(self) -> int:
        """Return how the child ended; -9 when killed."""
        return int(self._line())

    def close(self) -> None:
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()


def play(kills: int, *, mutant: str = "", seed: int = 0) -> Tally:
    """Kill so many downloads, and return the tally."""
    chance, tally = random.Random(seed), Tally()
    pictures = [a_picture(number, chance.randrange(2_000, 300_000)) for number in range(1, PICTURES + 1)]
    with tempfile.TemporaryDirectory() as name, ScriptedServer().running() as server:
        for number, each in enumerate(pictures, 1):
            server.on("GET", f"/{number}", in_pieces(each))
        prompts(server, *(prompt(number, f"{server.url}/{number}") for number in range(1, PICTURES + 1)))
        crew = [Downloads(server.url, mutant), Downloads(server.url, mutant)]
        pace = pace_of(crew[0], Path(name))
        number = 0
        while tally.killed < kills:
            number += 1
            fill(Path(name) / f"out {number}", crew, pictures, pace, kills, chance, tally)
        for each in crew:
            each.close()
        tally.wrong += [f"outside: {each.name}" for each in Path(name).iterdir() if not is_expected(each)]
    return tally


def is_expected(path: Path) -> bool:
    return path.is_dir() and path.name.partition(" ")[0] in ("first", "out")


def in_pieces(content: bytes) -> Answer:
    """Answer with a picture that takes its time."""

    def answer(exchange: Exchange) -> bool:
        exchange.head(200, Content_Type="image/jpeg", Content_Length=len(content))
        for at in range(0, len(content), 20_000):
            exchange.socket.sendall(content[at : at + 20_000])
            time.sleep(0.002)
        return True

    return answer


def pace_of(downloads: Downloads, folder: Path) -> float:
    """Return how many seconds a download takes here and now."""
    downloads.begin(folder / "first 1")
    downloads.end()
    started = time.monotonic()
    downloads.begin(folder / "first 2")
    downloads.end()
    return time.monotonic() - started


def fill(
    folder: Path,
    crew: list[Downloads],
    pictures: list[bytes],
    pace: float,
    kills: int,
    chance: random.Random,
    tally: Tally,
) -> None:
    """Download into a folder, and kill that, until all of it is there."""
    damaged: set[str] = set()
    status = -1
    while status:
        at_work = crew[: 2 if chance.random() < 0.2 else 1]
        children = [each.begin(folder) for each in at_work]
        if tally.killed < kills:
            time.sleep(chance.uniform(0, pace))
            with contextlib.suppress(ProcessLookupError):  # it was faster
                os.kill(children[0], signal.SIGKILL)
        ends = [each.end() for each in at_work]
        tally.killed += ends.count(-signal.SIGKILL)
        status = min(map(abs, ends))
        if status == 0 and len(ends) == 2:
            status = -1  # what the killed one left is the next one's
        judge(folder, pictures, damaged if status else set(), tally)
        if status and folder.is_dir() and chance.random() < 0.3:
            damage(folder, damaged, chance)
    tally.ended += 1
    left = {each.name for each in folder.iterdir()} - {*OWN}
    if left != {f"{number}-1.jpg" for number in range(1, PICTURES + 1)}:
        tally.wrong.append(f"in the end: {sorted(left)}")


def damage(folder: Path, damaged: set[str], chance: random.Random) -> None:
    """Cut a finished picture short."""
    found = sorted(folder.glob("*.jpg"))
    if found:
        path = chance.choice(found)
        path.write_bytes(path.read_bytes()[:-1])
        damaged.add(path.name)


def judge(folder: Path, pictures: list[bytes], damaged: set[str], tally: Tally) -> None:
    """Hold what lies there against what was sent, and against the record."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.name.endswith(".part"):
            tally.temporary += 1
        elif path.name not in OWN and path.name not in damaged:
            number = int(path.name.partition("-")[0])
            if path.read_bytes() != pictures[number - 1]:
                tally.wrong.append(f"not whole: {path.name}")
    record = folder / "manifest.jsonl"
    for line in record.read_bytes().splitlines() if record.exists() else []:
        try:
            entry = json.loads(line)
            content = (folder / entry["file"]).read_bytes()
        except (ValueError, OSError) as error:
            tally.wrong.append(f"record: {error!r}")
            continue
        if entry["file"] not in damaged and entry["sha256"] != hashlib.sha256(content).hexdigest():
            tally.wrong.append(f"record: {entry['file']} is another file")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("kills", nargs="?", type=int, default=200)
    parser.add_argument("--mutant", choices=MUTANTS, default="")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    tally = play(options.kills, mutant=options.mutant, seed=options.seed)
    print(tally)
    return bool(tally.wrong)


if __name__ == "__main__":
    sys.exit(main())
