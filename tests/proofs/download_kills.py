"""Kill downloads at random moments, and check the files that they leave.

python tests/proofs/download_kills.py [KILLS] [--mutant NAME]

A download is started and killed repeatedly until it completes; then another folder is filled. Now and then
a file is damaged in between, or two downloads share a folder. After each kill, every picture with its final
name must be complete, and every line of the manifest correct; after a completed download, the folder must
contain nothing else. Nothing may be written elsewhere.
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

MUTANTS = ("in place", "entry first", "torn manifest", "no sweep", "trusting")
PICTURES = 24
OWN = ("manifest.jsonl", ".manifest.lock")


@dataclass
class Tally:
    """The outcome of some kills."""

    killed: int = 0
    ended: int = 0
    temporary: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.killed} killed, {self.temporary} temporary files; {self.ended} folders filled; "
            f"{len(self.wrong)} wrong {self.wrong[:3]}"
        )


class Downloads:
    """The process that forks the downloads to kill."""

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
        """Start a download in a child process, and return its process id."""
        assert self._process.stdin
        self._process.stdin.write(f"{folder}\n")
        self._process.stdin.flush()
        return int(self._line())

    def end(self) -> int:
        """Wait for the child, and return its exit code; -9 if it was killed."""
        return int(self._line())

    def close(self) -> None:
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()


def play(kills: int, *, mutant: str = "", seed: int = 0) -> Tally:
    """Kill some downloads, and return the tally."""
    chance, tally = random.Random(seed), Tally()
    pictures = [a_picture(number, chance.randrange(2_000, 300_000)) for number in range(1, PICTURES + 1)]
    with tempfile.TemporaryDirectory() as name, ScriptedServer().running() as server:
        for number, picture in enumerate(pictures, 1):
            server.on("GET", f"/{number}", in_pieces(picture))
        prompts(server, *(prompt(number, f"{server.url}/{number}") for number in range(1, PICTURES + 1)))
        processes = [Downloads(server.url, mutant), Downloads(server.url, mutant)]
        pace = pace_of(processes[0], Path(name))
        number = 0
        while tally.killed < kills:
            number += 1
            fill(Path(name) / f"out {number}", processes, pictures, pace, kills, chance, tally)
        for downloads in processes:
            downloads.close()
        tally.wrong += [f"outside: {path.name}" for path in Path(name).iterdir() if not is_expected(path)]
    return tally


def is_expected(path: Path) -> bool:
    return path.is_dir() and path.name.partition(" ")[0] in ("first", "out")


def in_pieces(content: bytes) -> Answer:
    """Answer with a picture, slowly."""

    def answer(exchange: Exchange) -> bool:
        exchange.head(200, Content_Type="image/jpeg", Content_Length=len(content))
        for at in range(0, len(content), 20_000):
            exchange.socket.sendall(content[at : at + 20_000])
            time.sleep(0.002)
        return True

    return answer


def pace_of(downloads: Downloads, folder: Path) -> float:
    """Return the seconds that an undisturbed download takes."""
    downloads.begin(folder / "first 1")
    downloads.end()
    started = time.monotonic()
    downloads.begin(folder / "first 2")
    downloads.end()
    return time.monotonic() - started


def fill(
    folder: Path,
    processes: list[Downloads],
    pictures: list[bytes],
    pace: float,
    kills: int,
    chance: random.Random,
    tally: Tally,
) -> None:
    """Download into a folder and kill the download, until one completes."""
    damaged: set[str] = set()
    status = -1
    while status:
        running = processes[: 2 if chance.random() < 0.2 else 1]
        children = [downloads.begin(folder) for downloads in running]
        if tally.killed < kills:
            time.sleep(chance.uniform(0, pace))
            with contextlib.suppress(ProcessLookupError):  # it has ended already
                os.kill(children[0], signal.SIGKILL)
        ends = [downloads.end() for downloads in running]
        tally.killed += ends.count(-signal.SIGKILL)
        status = min(map(abs, ends))
        if status == 0 and len(ends) == 2:
            status = -1  # the next download sweeps what the killed one left
        check(folder, pictures, damaged if status else set(), tally)
        if status and folder.is_dir() and chance.random() < 0.3:
            damage(folder, damaged, chance)
    tally.ended += 1
    names = {path.name for path in folder.iterdir()} - {*OWN}
    if names != {f"{number}-1.jpg" for number in range(1, PICTURES + 1)}:
        tally.wrong.append(f"in the end: {sorted(names)}")


def damage(folder: Path, damaged: set[str], chance: random.Random) -> None:
    """Truncate a complete picture."""
    paths = sorted(folder.glob("*.jpg"))
    if paths:
        path = chance.choice(paths)
        path.write_bytes(path.read_bytes()[:-1])
        damaged.add(path.name)


def check(folder: Path, pictures: list[bytes], damaged: set[str], tally: Tally) -> None:
    """Compare the files with what was sent, and with the manifest."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.name.endswith(".part"):
            tally.temporary += 1
        elif path.name not in OWN and path.name not in damaged:
            number = int(path.name.partition("-")[0])
            if path.read_bytes() != pictures[number - 1]:
                tally.wrong.append(f"not complete: {path.name}")
    record = folder / "manifest.jsonl"
    for line in record.read_bytes().splitlines() if record.exists() else []:
        try:
            entry = json.loads(line)
            content = (folder / entry["file"]).read_bytes()
        except (ValueError, OSError) as error:
            tally.wrong.append(f"manifest: {error!r}")
            continue
        if entry["file"] not in damaged and entry["sha256"] != hashlib.sha256(content).hexdigest():
            tally.wrong.append(f"manifest: {entry['file']} is another file")


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
