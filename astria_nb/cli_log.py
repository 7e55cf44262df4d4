"""The command line of the experiment log: ``astria-nb log [frame|export|recover]``."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from astria_nb.errors import AstriaError, LogError, Problem, printable
from astria_nb.log import ELSEWHERE, UNSETTLED
from astria_nb.utils.formatting import quoted, short

if TYPE_CHECKING:
    import pandas as pd

    from astria_nb.client import Client
    from astria_nb.submission.experiment_log import ExperimentLog

_DEFAULT_LAST = 20
_ELSEWHERE = "name another one with --log"
_MAX_SETTLE = 86_400  # as in `ExperimentLog.recover`, which is not called if nothing was interrupted


def add_log_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments and subcommands of ``astria-nb log``."""
    _add_log_option(parser, None)
    parser.set_defaults(command=_frame, last=_DEFAULT_LAST, json=False, tag=None, service=None, hidden=False)
    commands = parser.add_subparsers(metavar="COMMAND")
    frame = commands.add_parser("frame", help="show the latest submissions (the default)")
    frame.add_argument(
        "--last",
        type=_count,
        default=_DEFAULT_LAST,
        metavar="N",
        help="how many; 0 for all; default: %(default)s",
    )
    frame.add_argument("--json", action="store_true", help="print one JSON object per line, with all columns")
    _add_selection(frame)
    frame.set_defaults(command=_frame)
    export = commands.add_parser("export", help="write all submissions to a .parquet or .csv file")
    export.add_argument("file", metavar="FILE")
    _add_selection(export)
    export.set_defaults(command=_export)
    recover = commands.add_parser(
        "recover", help="find out the outcome of interrupted submissions, by searching your account"
    )
    recover.add_argument(
        "--settle",
        type=_seconds,
        metavar="SECONDS",
        help="how long to give the service to finish before looking for a lost tune; default: 120",
    )
    recover.set_defaults(command=_recover)
    for subparser in (frame, export, recover):
        _add_log_option(subparser, argparse.SUPPRESS)  # keeps a --log given before the subcommand


def run_log_command(options: argparse.Namespace) -> int:
    """Run the chosen subcommand and return the exit status; an error is printed on one line."""
    from astria_nb.submission.experiment_log import ExperimentLog

    try:
        log = ExperimentLog(options.log)
        if not log.exists():
            problem = Problem("log", f"no log found at {quoted(str(log.path))}", _ELSEWHERE)
            raise LogError(problem)
        options.command(log, options)
    except AstriaError as error:
        for problem in error.problems:
            print_error(f"astria-nb log: {problem}".replace(ELSEWHERE, _ELSEWHERE))
        return 1
    except KeyboardInterrupt:
        print_error("astria-nb log: interrupted; nothing is lost, run it again")
        return 130
    except BrokenPipeError:  # the reading program, such as `head`, has closed the pipe
        _discard_output()
    except OSError as error:
        _discard_output()
        print_error(f"astria-nb log: cannot print ({error.strerror or error})")
        return 1
    return 0


def _frame(log: ExperimentLog, options: argparse.Namespace) -> None:
    frame = log.frame(**_selection(options))
    latest = frame.tail(options.last) if options.last else frame
    if options.json:
        if not latest.empty:  # pandas writes an empty line if there are no rows
            print(latest.to_json(orient="records", lines=True, date_format="iso"), end="", flush=True)
        return
    _print_table(latest)
    if len(latest) < len(frame):
        _print(f"the last {len(latest)} of {len(frame)} submissions; astria-nb log frame --last 0 shows all")


def _export(log: ExperimentLog, options: argparse.Namespace) -> None:
    selection = _selection(options)
    path = log.export(options.file, **selection)
    _print(f"exported {_submissions(len(log.frame(**selection)))} to {path}")


def _recover(log: ExperimentLog, options: argparse.Namespace) -> None:
    if _in_states(log, *UNSETTLED).empty:
        _print("no interrupted submissions")
    else:
        _settle(log, _client(), options.settle)
    _print_review(_in_states(log, "needs_review"), log)


def _print_review(review: pd.DataFrame, log: ExperimentLog) -> None:
    """Print what to do about submissions whose tune was not found."""
    if review.empty:
        return
    _print(
        f"{_submissions(len(review))} to review: submit it again to repeat the search, or record in Python"
    )
    _print("what you found out; leave tune_id= out only if you are sure that no tune was created:")
    for number, title in zip(review["submission"], review["title"].fillna(""), strict=True):
        # With its path: a notebook may have a different default log from this directory.
        code = f"anb.{log!r}.resolve({number}, tune_id=...)"
        _print(f"{code}  # {short(title)}" if title else code)


def _settle(log: ExperimentLog, client: Client, seconds: float | None) -> None:
    settled = log.recover(client, settle=seconds)
    if settled.empty:
        _print(f"nothing was settled at {client.base_url}")
    else:
        _print_table(settled)
    unsettled = _in_states(log, *UNSETTLED)
    own = [submission.id for submission in log.unsettled(client.service, client.account)]
    is_here = unsettled["submission"].isin(own)
    if is_here.any():
        _print(f"{_submissions(int(is_here.sum()))} still being sent by another process")
    for service, count in unsettled.loc[~is_here, "service"].value_counts().items():
        where = f"open at {service}: set ASTRIA_BASE_URL and its key to look there"
        _print(f"{_submissions(int(count))} {where}")


def _in_states(log: ExperimentLog, *states: str) -> pd.DataFrame:
    frame = log.frame(hidden=True)
    return frame[frame["state"].isin(states)]


def _client() -> Client:
    """Return a client of your account, or of the sandbox next to JupyterLab, whose kernels have no key."""
    from astria_nb.client import Client
    from astria_nb.defaults import default_client

    # Elsewhere, the default without a key is a sandbox that has just started and knows no tunes.
    return default_client() if os.environ.get("ASTRIA_SANDBOX_URL") else Client()


def _print_table(frame: pd.DataFrame) -> None:
    """Print rows as a table, cut to the width of the terminal if there is one."""
    from astria_nb.log.table import table

    if frame.empty:
        _print("no submissions")
        return
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    for line in table(frame, shutil.get_terminal_size().columns if is_terminal else None):
        _print(line)


def print_error(line: str) -> None:
    """Print a line to the standard error, if there is one that can be written."""
    if sys.stderr is not None:  # print would use the standard output
        with suppress(AttributeError, OSError, ValueError):
            print(printable(line, "?"), file=sys.stderr, flush=True)


def _print(line: str) -> None:
    if sys.stdout is not None and not sys.stdout.closed:
        print(printable(line, "?"), flush=True)


def _discard_output() -> None:
    """Discard the standard output: its buffered content could not be written when this process ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _submissions(count: int) -> str:
    return "1 submission" if count == 1 else f"{count} submissions"


def _add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tag", metavar="TAG", help="only submissions with this tag")
    parser.add_argument("--service", metavar="URL", help="only submissions to this service")
    parser.add_argument("--hidden", action="store_true", help="also submissions that log.hide has hidden")


def _selection(options: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(options, name) for name in ("tag", "service", "hidden")}


def _add_log_option(parser: argparse.ArgumentParser, default: str | None) -> None:
    description = (
        "a file, or the address of a database: postgresql://user@host/database; "
        "default: the environment variable ASTRIA_NB_LOG, else astria_log.sqlite in this directory, or "
        "beside the notebook that runs this command"
    )
    parser.add_argument("--log", metavar="FILE", default=default, help=description)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a whole number from 0")
    return int(text)


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 <= (seconds := float(text)) <= _MAX_SETTLE:
            return seconds
    raise argparse.ArgumentTypeError(f"{quoted(text)} is not a number of seconds from 0 to {_MAX_SETTLE}")
