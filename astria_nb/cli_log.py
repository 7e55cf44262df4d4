"""The command line of the experiment log: ``astria-nb log [frame|export|recover]``."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from typing import TYPE_CHECKING, TextIO

from astria_nb.errors import AstriaError, LogError, Problem
from astria_nb.log.states import UNSETTLED

if TYPE_CHECKING:
    import pandas as pd

    from astria_nb.client.client import Client
    from astria_nb.submission.experiment_log import ExperimentLog

_LAST = 20


def add_log_command(parser: argparse.ArgumentParser) -> None:
    """Add what the log can be asked for."""
    _add_file(parser, None)
    parser.set_defaults(command=_frame, last=_LAST, json=False)
    commands = parser.add_subparsers(metavar="COMMAND")
    frame = commands.add_parser("frame", help="show the latest submissions (the default)")
    frame.add_argument(
        "--last", type=_count, default=_LAST, metavar="N", help="how many; 0 for all; default: %(default)s"
    )
    frame.add_argument("--json", action="store_true", help="a line of JSON for each, with every column")
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
    for each in (frame, export, recover):
        _add_file(each, argparse.SUPPRESS)  # what was given before the command stands


def run_log_command(options: argparse.Namespace) -> int:
    """Do what was asked for, and return the exit status; an error is said in a line."""
    from astria_nb.submission.experiment_log import ExperimentLog

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
    except BrokenPipeError:  # of `head`, say, which has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _frame(log: ExperimentLog, options: argparse.Namespace) -> None:
    frame = log.frame()
    shown = frame.tail(options.last) if options.last else frame
    if options.json:
        print(shown.to_json(orient="records", lines=True, date_format="iso"), end="", flush=True)
        return
    _show(shown)
    if len(shown) < len(frame):
        _say(f"the last {len(shown)} of {len(frame)} submissions; astria-nb log frame --last 0 shows all")


def _export(log: ExperimentLog, options: argparse.Namespace) -> None:
    path = log.export(options.file)
    _say(f"{_submissions(len(log.frame()))} in {path}")


def _recover(log: ExperimentLog, options: argparse.Namespace) -> None:
    if _in_states(log, *UNSETTLED).empty:
        _say("nothing was left open")
    else:
        _settle(log, _client(), options.settle)
    review = _in_states(log, "needs_review")
    if not review.empty:
        _say(f"{_submissions(len(review))} to be reviewed: submit it again, and it is looked for again, or")
        _say("say what you found out: ExperimentLog().resolve(submission, tune_id=...)")


def _settle(log: ExperimentLog, client: Client, seconds: float | None) -> None:
    settled = log.recover(client, settle=seconds)
    if settled.empty:
        _say(f"nothing was settled at {client.base_url}")
    else:
        _show(settled)
    rest = _in_states(log, *UNSETTLED)
    here = rest["service"] == client.service
    if here.any():
        _say(f"{_submissions(int(here.sum()))} in the hands of another process")
    for service, count in rest.loc[~here, "service"].value_counts().items():
        _say(f"{_submissions(int(count))} open at {service}: set ASTRIA_BASE_URL and its key to look there")


def _in_states(log: ExperimentLog, *states: str) -> pd.DataFrame:
    frame = log.frame()
    return frame[frame["state"].isin(states)]


def _client() -> Client:
    """Return a client of your account, or of the sandbox beside JupyterLab, whose kernels have no key."""
    from astria_nb.client.client import Client
    from astria_nb.defaults import default_client

    # Without a key, the default elsewhere is a sandbox that was started a moment ago: it knows of nothing.
    return default_client() if os.environ.get("ASTRIA_SANDBOX_URL") else Client()


def _show(frame: pd.DataFrame) -> None:
    """Print rows as a table that is as wide as the terminal, and where nobody looks as wide as need be."""
    from astria_nb.log.table import table

    if frame.empty:
        _say("no submissions")
        return
    for line in table(frame, shutil.get_terminal_size().columns if sys.stdout.isatty() else None):
        _say(line)


def _say(line: str, file: TextIO | None = None) -> None:
    from astria_nb.log.table import printable

    print(printable(line), file=file or sys.stdout, flush=True)


def _submissions(count: int) -> str:
    return "1 submission is" if count == 1 else f"{count} submissions are"


def _add_file(parser: argparse.ArgumentParser, default: str | None) -> None:
    told = "default: the environment's ASTRIA_NB_LOG, else astria_log.sqlite"
    parser.add_argument("--log", metavar="FILE", default=default, help=told)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 on")
    return int(text)
