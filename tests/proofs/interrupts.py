"""Interrupt submissions at any line, and count what went wrong.

python tests/proofs/interrupts.py [POINTS] [--mutant "no shield"]

Each point is a submission that is interrupted once, in one of two ways: KeyboardInterrupt is raised at the
n-th line that the main thread runs, whosever line it is, as a signal may do; or a real SIGINT arrives while
the work is at its n-th line. The error is kept, as a notebook keeps it. Half of the submissions are the first
of their process, which imports what it needs and creates its log; the others are warm. A quarter of all run a
pack on an existing tune, which has no title. Then, another process must be able to write to the log, the same
call must return the row, and the log must close.
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
import threading
import time
import types
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

HERE = Path(__file__)
MUTANTS = ("no shield",)
WAYS = ("main", "work")
WARM = 25  # points in a process
SETTLE = 0.05  # seconds
PATIENCE = 5.0  # seconds; a log that is idle is locked for some milliseconds, while it is moved into its file


@dataclass
class Tally:
    """What came out of some points."""

    lines: dict[str, int] = field(default_factory=dict)
    interrupted: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        hit = ", ".join(f"{count} {kind}" for kind, count in sorted(self.interrupted.items()))
        counts = f"{len(self.wrong)} wrong, {len(self.duplicates)} duplicates, {len(self.lost)} lost"
        return f"{self.interrupted.total()} interrupted ({hit} of lines {self.lines}), {counts}"


class Points:
    """A process whose children submit, and the judge of what they leave behind."""

    def __init__(self, folder: Path, url: str, key: str, mutant: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, HERE, "--child", folder, url, key, mutant],
            env={**os.environ, "NO_PROXY": "*"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def submit(self, orders: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Have a child follow some orders, and yield what it reports of each."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(orders) + "\n")
        self._process.stdin.flush()
        unreported = list(orders)
        while "end" not in (report := json.loads(self._process.stdout.readline())):
            unreported.pop(0)
            yield report
        for order in unreported:
            failed = {"interrupted": False, "creates": order["title"], "rows": 0}
            yield order | failed | {"at": order["point"], "wrong": ["the process failed"]}

    def close(self) -> None:
        self._process.communicate()


def play(
    points: int,
    *,
    mutant: str = "",
    seed: int = 0,
    firsts: float = 0.5,
    runs: float = 0.25,
    within: str = "",
) -> Tally:
    """Interrupt at some points, spread over the lines of a first and of a warm submission.

    Parameters
    ----------
    firsts : float
        The share of the first ones.
    runs : float
        The share of those that run a pack on an existing tune.
    within : str
        Part of the path of the files whose lines count. Default: all.
    """
    from astria_nb.sandbox import SandboxServer

    chance, tally = random.Random(seed), Tally()
    ways = WAYS[:1] if mutant else WAYS  # without the shield, the main thread does the work
    with tempfile.TemporaryDirectory() as name, SandboxServer() as sandbox:
        points_of, sent = Points(Path(name), sandbox.url, sandbox.api_key, mutant), Counter[str]()
        number_of_firsts = round(points * firsts)
        kinds = [("first", 1)] * number_of_firsts
        kinds += [("warm", min(WARM, points))] * (-(-(points - number_of_firsts) // WARM))
        for kind in dict.fromkeys(kind for kind, _ in kinds):
            for way in ways:
                order = {
                    "title": f"count {kind} {way}",
                    "log": f"count {way}",
                    "way": way,
                    "point": None,
                    "within": within,
                }
                *_, report = points_of.submit(
                    [order] if kind == "first" else [order, order | {"title": f"{way} 2"}]
                )
                assert not report["wrong"], report
                tally.lines[f"{kind} {way}"] = report["lines"]
        for number, (kind, size) in enumerate(kinds):
            orders = []
            for index in range(size):
                way = ways[(number + index) % len(ways)]
                lines = tally.lines[f"{kind} {way}"]
                title, log = f"{kind} {number}.{index}", f"{kind} {number}"
                order = {"title": title, "log": log, "way": way, "point": None, "within": within}
                is_run = bool(runs) and chance.random() < runs
                base = {"tune_id": train(sandbox, f"base of {title}")} if is_run else {}
                orders.append(order | base | {"point": chance.randint(1, lines)})
            if kind == "warm":
                orders.insert(0, order | {"title": f"before {number}"})
            for report in points_of.submit(orders):
                if report["interrupted"]:
                    tally.interrupted[f"{kind} {report['way']}"] += 1
                sent[report["creates"]] = report["rows"]
                tally.wrong += [f"{report['title']} at {report['at']}: {what}" for what in report["wrong"]]
        points_of.close()
        _judge(sandbox, Path(name), tally, sent)
    return tally


def _judge(sandbox: Any, folder: Path, tally: Tally, sent: Counter[str]) -> None:
    """Hold the logs against the sandbox's ledger. A run may be made as often as its row arrived."""
    from astria_nb.log import Log

    recorded: set[int] = set()
    for path in folder.glob("*.sqlite"):
        log = Log(path)
        frame = log.frame()
        recorded.update(frame["id"].dropna().astype(int), *frame["prompt_ids"].dropna())
        log.close()
    created: dict[str, list[int]] = {}
    for request in sandbox.ledger:
        if base := request.params and request.params.get("tune_ids"):
            created.setdefault(f"run on {base[0]}", []).extend(request.prompt_ids)
        elif request.tune_ids and not (title := str(request.params["title"])).startswith("base of"):
            created.setdefault(title, []).extend(request.tune_ids)
    tally.duplicates = [name for name, ids in created.items() if len(ids) > max(sent[name], 1)]
    tally.lost = [name for name, ids in created.items() if ids and not recorded & set(ids)]


def train(sandbox: Any, title: str) -> int:
    """Train a tune to run a pack on, without this package."""
    fields = {"title": title, "name": "cat", "image_urls": ["https://example.com/1.jpg"]}
    key = {"Authorization": f"Bearer {sandbox.api_key}"}
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(f"{sandbox.url}/p/797/tunes", json={"tune": fields}, headers=key)
    return int(answer.json()["id"])


class Interrupter:
    """Counts lines, and interrupts at one of them.

    Parameters
    ----------
    way : {"main", "work"}
        Raise at a line of the main thread, or send SIGINT at a line of the work's thread.
    point : int or None
        The line; None counts only.
    within : str
        Part of the path of the files whose lines count.
    after : str
        The name of the function whose first line is the first that counts. Default: any.
    """

    def __init__(self, way: str, point: int | None, within: str, after: str = "") -> None:
        self._way, self._point, self._within, self._after = way, point, within, after
        self._own_path, self._has_begun = str(HERE), not after
        self.lines = 0
        self.at = ""

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        from astria_nb.utils import interrupts

        def run_traced(call: Any, park: Callable[[], None]) -> None:
            sys.settrace(self._on_call)
            try:
                run(call, park)
            finally:
                sys.settrace(None)  # the thread goes on to other calls

        run = interrupts._Call.run
        if self._way == "work":
            interrupts._Call.run = run_traced  # type: ignore[method-assign]
        else:
            sys.settrace(self._on_call)
        try:
            yield
        finally:
            sys.settrace(None)
            interrupts._Call.run = run  # type: ignore[method-assign]

    def _on_call(self, frame: types.FrameType, _: str, __: Any) -> Any:
        path = frame.f_code.co_filename
        self._has_begun |= frame.f_code.co_name == self._after
        return self._on_line if path != self._own_path and self._within in path else None

    def _on_line(self, frame: types.FrameType, event: str, _: Any) -> Any:
        if event == "line" and self._has_begun:
            self.lines += 1
            if self.lines == self._point:
                self.at = f"{frame.f_code.co_filename}:{frame.f_lineno}"
                sys.settrace(None)
                if self._way == "main":
                    raise KeyboardInterrupt
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
                time.sleep(0.002)  # the main thread takes notice
        return self._on_line


def follow(order: dict[str, Any], folder: Path, client: Any, ask: Callable[[str], str]) -> dict[str, Any]:
    """Submit, interrupted, and then once more; report what went wrong."""
    import astria_nb as anb

    path = folder / f"{order['log']}.sqlite"
    wrong: list[str] = []

    def submit() -> Any:
        fields: dict[str, Any] = {"pack": 797, "prompt_ids": [797001]}
        if "tune_id" in order:
            fields["tune_ids"] = [order["tune_id"]]
        else:
            address = f"https://example.com/{order['title'].replace(' ', '-')}.jpg"
            fields |= {"title": order["title"], "name": "cat", "image_urls": [address]}
        return anb.submit(
            anb.Tune(**fields), client(), log=anb.ExperimentLog(path), settle=SETTLE, timeout=300
        )

    rows: list[Any] = []
    interrupter, was_interrupted = Interrupter(order["way"], order["point"], order["within"]), False
    try:
        with interrupter.active():
            rows += [submit()]
    except KeyboardInterrupt as error:
        was_interrupted = True
        sys.last_exc = sys.last_value = error  # as IPython does
    except BaseException as error:  # noqa: BLE001  reported
        wrong.append(f"not an interrupt: {error!r}")
    if (answer := ask(str(path))) != "free":
        wrong.append(answer)
    try:
        row = _submit_until_known(submit, anb.ExperimentLog(path))
        rows.append(row)
        created = row.loc[0, "id"] if "tune_id" not in order else row.loc[0, "prompt_ids"][0]
        if len(row) != 1 or not created > 0:
            wrong.append("the next call returned no tune")
        log = anb.ExperimentLog(path)
        frame = log.frame()
        if "tune_id" not in order and order["title"] not in list(frame["title"]):
            wrong.append("not in the frame")
        log.close()
    except BaseException as error:  # noqa: BLE001  reported
        wrong.append(f"the next call: {error!r}")
    return {
        "title": order["title"], "way": order["way"], "at": interrupter.at, "lines": interrupter.lines,
        "interrupted": was_interrupted, "wrong": wrong,
        "creates": f"run on {order['tune_id']}" if "tune_id" in order else order["title"],
        "rows": len(rows) if "tune_id" in order else 1,
    }  # fmt: skip


def _submit_until_known(submit: Callable[[], Any], log: Any) -> Any:
    """Do what the errors say: look again, and in the end declare that nothing was made."""
    from astria_nb.errors import OutcomeUnknownError

    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(OutcomeUnknownError):
            return submit()
    frame = log.frame()
    log.resolve(frame.loc[frame["state"] == "needs_review", "submission"].iloc[-1])
    return submit()


def is_free(path: str) -> str:
    """Return whether this process can write to a log."""
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        return f"another process: {error}"
    finally:
        connection.close()
    return "free"


def serve(folder: Path, url: str, key: str, mutant: str) -> None:
    """Fork a child for each line of orders; all third-party modules but the log's are imported."""
    import pandas  # noqa: F401
    import pyarrow  # noqa: F401
    import requests  # noqa: F401

    for line in sys.stdin:
        questions, answers = os.pipe(), os.pipe()
        child = os.fork()
        if child == 0:
            status = 9
            try:
                _follow_all(json.loads(line), folder, url, key, mutant, questions[1], answers[0])
                status = 0
            finally:
                os._exit(status)
        os.close(questions[1])
        os.close(answers[0])
        with os.fdopen(questions[0]) as asked, os.fdopen(answers[1], "w") as answer:
            for question in asked:
                answer.write(is_free(json.loads(question)) + "\n")
                answer.flush()
        _, status = os.waitpid(child, 0)
        print(json.dumps({"end": status}), flush=True)


def import_as_well(function: Callable[[], Any]) -> Callable[[], Any]:
    """Let the first submission import a library that is of no use any more once it was loaded by half."""

    def call() -> Any:
        import sqlalchemy

        sqlalchemy.create_engine("sqlite://").connect().close()
        return function()

    return call


def _follow_all(
    orders: list[dict[str, Any]], folder: Path, url: str, key: str, mutant: str, questions: int, answers: int
) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    clients: list[Any] = []
    with os.fdopen(questions, "w") as asked, os.fdopen(answers) as answered:

        def ask(path: str) -> str:
            asked.write(json.dumps(path) + "\n")
            asked.flush()
            return answered.readline().strip()

        def client() -> Any:
            import astria_nb as anb

            if not clients:
                clients.append(anb.Client(key, base_url=url))
            return clients[0]

        if mutant:
            from astria_nb.log import environment
            from astria_nb.utils import interrupts

            elsewhere = types.SimpleNamespace(
                get_ident=lambda: 0, main_thread=lambda: threading.main_thread()
            )
            interrupts.threading = elsewhere  # type: ignore[assignment]
            environment.session = import_as_well(environment.session)  # type: ignore[assignment]
        for order in orders:
            print(json.dumps(follow(order, folder, client, ask)), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("points", nargs="?", type=int, default=1000)
    parser.add_argument("--mutant", choices=MUTANTS, default="")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    started = time.monotonic()
    tally = play(options.points, mutant=options.mutant, seed=options.seed)
    print("\n".join(tally.wrong[:20]))
    print(f"{tally} in {time.monotonic() - started:.0f} s")
    return bool(tally.wrong or tally.duplicates or tally.lost)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        serve(Path(sys.argv[2]), *sys.argv[3:6])
    else:
        sys.exit(main())
