"""The command line of the benchmarks."""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import table
from benchmarks.turns import Build, Result, load, measure, names


class Progress:
    """Says on standard error what is under way and for how long, in a line that is overwritten."""

    def __init__(self) -> None:
        self._text, self._started, self._ended = "", time.monotonic(), threading.Event()

    def say(self, text: str) -> None:
        """Begin another step."""
        self._text, self._started = text, time.monotonic()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Write while the block runs, if somebody reads."""
        ticker = threading.Thread(target=self._tick, daemon=True)
        if sys.stderr.isatty():
            ticker.start()
        try:
            yield
        finally:
            self._ended.set()
            if ticker.is_alive():
                ticker.join()
                self.clear()

    def clear(self) -> None:
        """Make room for a line of the table."""
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _tick(self) -> None:
        while not self._ended.wait(1):
            seconds = time.monotonic() - self._started
            print(f"\r\x1b[K{self._text}, {seconds:.0f} s", end="", file=sys.stderr, flush=True)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Return the options."""
    described = "Compare what the package does with who does the same: programs that run in turn."
    parser = argparse.ArgumentParser(prog=table.COMMAND, description=described)
    add = parser.add_argument
    cases = [name.replace("_", "-") for name in names()]
    add("--only", nargs="+", metavar="CASE", choices=cases, help=f"of {', '.join(cases)}")
    add("--small", action="store_true", help="each case once, in its smallest size: does it run?")
    add("--rounds", type=int, help="pairs; by default as many as a case needs")
    add("--against", type=Path, metavar="CHECKOUT", help="measure another checkout as well, as today's build")
    add("--python", default=sys.executable, help="that has what the other checkout needs")
    add("--into", type=Path, default=Path("build/benchmarks"), metavar="FOLDER", help="default: %(default)s")
    add("--docs", action="store_true", help="write to docs/figures.md, with the picture in docs/figures")
    add("--keep", type=Path, metavar="FOLDER", help="keep large files there for another run")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table, and write JSON, page and plots; 1 if a bar was missed, 2 if a case failed."""
    options = parsed(arguments)
    before = Build(options.against.resolve(), options.python) if options.against else None
    today = f"the checkout `{options.against.name}`" if options.against else ""
    chosen = [name.replace("-", "_") for name in options.only] if options.only else names()
    results: list[Result] = []
    progress = Progress()
    print(table.padded(table.HEAD), flush=True)
    try:
        with tempfile.TemporaryDirectory(prefix="astria-nb-benchmarks-") as temporary, progress.running():
            for name in chosen:
                results.append(result := Result(name, load(name)))
                try:
                    measure(
                        result, small=options.small, rounds=options.rounds, before=before,
                        keep=options.keep or Path(temporary), say=progress.say,
                    )  # fmt: skip
                finally:
                    progress.clear()
                    for line in table.lines(result):
                        print(table.padded(table.cells(line)), flush=True)
    except KeyboardInterrupt:
        print("\ninterrupted; this is what was measured", file=sys.stderr)
    if results:
        page = Path("docs/figures.md") if options.docs else options.into / "speed.md"
        folder = page.with_suffix("") if options.docs else options.into
        table.write(page, folder, results, today)
        print(f"\nwritten: {page}, {folder / 'speed.json'}, {folder / 'speed.svg'}")
    if any(result.problem for result in results):
        return 2
    return int(any(result.is_kept(figure) is False for result in results for figure in result.case.figures))
