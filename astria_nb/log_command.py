"""The command line of the experiment log: ``astria-nb log [frame|export|recover]``."""

from __future__ import annotations

import argparse
import shutil
import sys
from typing import TYPE_CHECKING, TextIO

from astria_nb.errors import AstriaError, LogError, Problem

if TYPE_CHECKING:
    import pandas as pd

    from astria_nb.experiments import ExperimentLog

_COLUMNS = ("submission", "state", "id", "title", "name", "pack", "status", "planned_at", "problem")


def add_log_command(parser: argparse.ArgumentParser) -> None:
    """Add what the log can be asked for."""
    parser.add_argument(
        "--log", metavar="FILE", help="default: the environment's ASTRIA_NB_LOG, else astria_log.sqlite"
    )
    parser.set_defaults(command=_frame, last=20)
    commands = parser.add_subparsers(metavar="COMMAND")
    frame = commands.add_parser("frame", help="show the latest submissions (the default)")
    frame.add_argument(
        "--last", type=int, default=20, metavar="N", help="how many; 0 for all; default: %(default)s"
    )
    frame.set_defaults(command=_frame)
    export = commands.add_parser("export", help="write all submissions to a .parquet or .csv file")
    export.add_argument("file", metavar="FILE")
    export.set_defaults(command=_export)
    recover = commands.add_parser(
        "recover", help="find out what became of submissions that were left open; asks your account"
    )
    recover.add_argument(
        "--settle",
        type=float,
        metavar="SECONDS",
        help="how long the service has to finish before a lost tune is looked for; default: 120",
    )
    recover.set_defaults(command=_recover)


def run_log_command(options: argparse.Namespace) -> int:
    """Do what was asked for, and return the exit status; an error is said in a line."""
    from astria_nb.experiments import ExperimentLog  # pandas, which who wants a sandbox need not wait for

    try:
        log = ExperimentLog(options.log)
        if not log.path.exists():
            raise LogError(Problem("log", f"there is none at {str(log.path)!r}", "name another with --log"))
        options.command(log, options)
    except AstriaError as error:
        for problem in error.problems:
            _say(f"astria-nb log: {problem}", sys.stderr)
        return 1
    except KeyboardInterrupt:
        _say("astria-nb log: interrupted; nothing is lost, call it again", sys.stderr)
        return 130
    return 0


def _frame(log: ExperimentLog, options: argparse.Namespace) -> None:
    frame = log.frame()
    shown = frame.tail(options.last) if options.last > 0 else frame
    _show(shown)
    if len(shown) < len(frame):
        _say(f"the last {len(shown)} of {len(frame)} submissions; --last 0 shows all")


def _export(log: ExperimentLog, options: argparse.Namespace) -> None:
    path = log.export(options.file)
    _say(f"{len(log.frame())} submissions are in {path}")


def _recover(log: ExperimentLog, options: argparse.Namespace) -> None:
    settled = log.recover(settle=options.settle)
    if settled.empty:
        _say("nothing was left open")
    else:
        _show(settled)


def _show(frame: pd.DataFrame) -> None:
    """Print rows as a table that is as wide as the terminal, and where nobody looks as wide as need be."""
    if frame.empty:
        _say("no submissions")
        return
    table = frame[[name for name in _COLUMNS if frame[name].notna().any()]].copy()
    table["planned_at"] = table["planned_at"].dt.strftime("%Y-%m-%d %H:%M")
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000
    text = table.astype(object).where(table.notna(), "").to_string(index=False, justify="left")
    for line in text.splitlines():
        _say(line if len(line) <= width else f"{line[: width - 1]}…")


def _say(line: str, file: TextIO | None = None) -> None:
    # A title may hold what would move the cursor of a terminal.
    clean = "".join(each if each.isprintable() else "?" for each in line)
    print(clean, file=file or sys.stdout, flush=True)
