"""Runs the sides of a case in turn, each in a new process, so that a busy moment slows both."""

import importlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.protocol import Case, Figure

FOLDER, ROOT = Path(__file__).parent, Path(__file__).parents[2]
SECONDS_TO_END = 10.0  # for a process that is interrupted, with its servers


@dataclass(frozen=True)
class Build:
    """Which package a process imports, and its interpreter."""

    checkout: Path = ROOT
    python: str = sys.executable


Runner = Callable[[str, str, dict[str, Any], Build], dict[str, Any]]


class NotMeasuredError(Exception):
    """A side failed."""


def in_new_process(case: str, side: str, arguments: dict[str, Any], build: Build) -> dict[str, Any]:
    """Return the figures of a side that runs in a process of its own.

    Raises
    ------
    NotMeasuredError
        The process failed.
    """
    work = getattr(load(case), side)
    if isinstance(work, str):
        # -P: the current folder may be another checkout than the one to be measured.
        command = [build.python, "-P", "-c", work, *map(str, arguments.get("argv", ()))]
    else:
        command = [build.python, FOLDER / "side.py", case, side, json.dumps(arguments, default=str)]
    environment = {**os.environ, "PYTHONPATH": str(build.checkout), "NO_PROXY": "*"}
    with tempfile.TemporaryFile("w+") as errors, tempfile.TemporaryFile("w+") as output:
        started = time.perf_counter()
        # A session of its own: it has to end its servers before it ends, and Ctrl-C would reach all at once.
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=errors, start_new_session=True
        )
        with _ended(process):
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        output.seek(0)
        if process.returncode:
            raise NotMeasuredError(
                f"{side} ended with {process.returncode}:\n{errors.read().strip()[-2000:]}"
            )
        whole = {"seconds": seconds, "processor": used.ru_utime + used.ru_stime}
        return whole if isinstance(work, str) else whole | json.loads(output.read().splitlines()[-1])


@contextmanager
def _ended(process: "subprocess.Popen[Any]") -> Iterator[None]:
    """Interrupt a process that is not waited for any longer."""
    try:
        yield
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def names() -> list[str]:
    """Return the names of all cases."""
    return sorted(path.stem for path in (FOLDER / "cases").glob("*.py") if path.stem != "__init__")


def load(name: str) -> Case:
    """Return a case by its name."""
    case: Case = importlib.import_module(f"benchmarks.cases.{name}").CASE
    return case


@dataclass
class Result:
    """What was measured of a case, so far."""

    name: str
    case: Case
    turns: list[dict[str, dict[str, Any]]] = field(default_factory=list)
    problem: str = ""
    today_problem: str = ""

    def values(self, figure: Figure, side: str) -> list[float]:
        """Return a figure of a side, of each round that has it."""
        return [turn[side][figure.name] for turn in self.turns if figure.name in turn.get(side, {})]

    def compared(self, figure: Figure, side: str = "ours") -> list[float]:
        """Return what the bar is for, of each round."""
        base = figure.beside or side
        return [
            figure.compare(turn[side][figure.name], turn[base][figure.name])
            for turn in self.turns
            if figure.name in turn.get(side, {}) and figure.name in turn.get(base, {})
        ]

    def is_kept(self, figure: Figure) -> bool | None:
        """Return whether the bar is kept by the median; None if there is no bar, or nothing was measured."""
        values = self.compared(figure)
        return figure.is_kept(statistics.median(values)) if values else None


def measure(
    result: Result,
    *,
    small: bool = False,
    rounds: int | None = None,
    before: Build | None = None,
    keep: Path | None = None,
    run: Runner = in_new_process,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Run the sides of a case in turn; what was measured is in the result, whatever happens.

    Parameters
    ----------
    result : Result
    small : bool
    rounds : int, optional
        By default one if it is small, else those of the case.
    before : Build, optional
        Another checkout, which is measured as well.
    keep : Path, optional
        A folder for what is prepared, which stays: a case may find it there again.
    run : callable
    say : callable
        Is told what is under way.
    """
    case, name = result.case, result.name
    if absent := [program for program in case.needs if shutil.which(program) is None]:
        result.problem = f"needs {', '.join(absent)}"
        return
    sides = {"peer": ("peer", Build())} if case.peer else {}
    sides |= {"ours": ("ours", Build())}
    if before:
        sides["today"] = "ours", before
    sizes = dict(case.small if small else case.sizes)
    count = rounds or (1 if small else case.rounds)
    with _folder(name, keep) as folder:
        say(f"{name}: preparing")
        try:
            with case.prepare(folder, **sizes) as prepared:
                for number in range(count):
                    turn: dict[str, dict[str, Any]] = {}
                    result.turns.append(turn)
                    for side, (work, build) in sides.items():
                        say(f"{name}: {side}, round {number + 1} of {count}")
                        try:
                            turn[side] = run(name, work, {**sizes, **prepared}, build)
                        except NotMeasuredError as error:
                            if side != "today":  # an earlier version may lack what is measured
                                raise
                            result.today_problem = str(error).splitlines()[-1]
                    if result.today_problem:
                        sides.pop("today", None)
        except NotMeasuredError as error:
            result.problem = str(error)


@contextmanager
def _folder(name: str, keep: Path | None) -> Iterator[Path]:
    """Yield a folder for a case, in one that all cases share."""
    with tempfile.TemporaryDirectory(prefix="astria-nb-benchmark-") as temporary:
        folder = (keep or Path(temporary)) / name
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
