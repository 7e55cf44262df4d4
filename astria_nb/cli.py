"""The command line: ``astria-nb lab``, ``astria-nb sandbox`` and ``astria-nb log``."""

from __future__ import annotations

import argparse
import io
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

from packaging.version import Version

from astria_nb import __version__
from astria_nb.cli_log import add_log_command, print_error, run_log_command
from astria_nb.defaults.sandbox import Sandbox
from astria_nb.sandbox import add_arguments, chosen_options
from astria_nb.utils.examples import examples
from astria_nb.utils.formatting import quoted

# Files that JupyterLab hides by default, and SQLite's companion files of an open log.
_HIDDEN = "['__pycache__', '*.pyc', '*.pyo', '.DS_Store', '*~', 'astria_log.sqlite-*']"

_MAX_PORT = 65_535


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(prog="astria-nb", description="Train Astria tunes from Jupyter.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    lab = commands.add_parser("lab", help="open JupyterLab on the example notebooks, with a sandbox running")
    lab.add_argument(
        "folder", nargs="?", default="astria-notebooks", metavar="DIR", help="default: %(default)s"
    )
    lab.add_argument("--no-browser", action="store_true", help="only print JupyterLab's address")
    lab.add_argument("--port", type=_port, help="JupyterLab's port; default: the first free one from 8888")
    lab.epilog = "Further options are JupyterLab's own, with a value after '=', such as --ip=0.0.0.0."
    lab.set_defaults(run=_lab)
    sandbox = commands.add_parser(
        "sandbox",
        help="serve a local substitute for the Astria API until Ctrl-C",
        usage="%(prog)s [OPTION...]",
        description="Serve a local substitute for the Astria API until Ctrl-C. "
        "Everything that the API's documentation leaves open is an option.",
    )
    add_arguments(sandbox)
    sandbox.set_defaults(run=_sandbox)
    log = commands.add_parser("log", help="show or export your submissions, or recover interrupted ones")
    add_log_command(log)
    log.set_defaults(run=run_log_command)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # the encoding may lack characters of a title
    arguments = sys.argv[1:] if arguments is None else arguments
    options, further = parser.parse_known_args(arguments)
    if further and (problem := _problem_with(further, options, arguments)):
        parser.error(problem)
    options.further = further
    status: int = options.run(options)
    return status


def _problem_with(further: list[str], options: argparse.Namespace, arguments: Sequence[str]) -> str | None:
    """Return why options that are not ours cannot be passed on to JupyterLab, or None."""
    # It is not known here whether an option of JupyterLab takes a value: the next argument may be the folder.
    for option, value in pairwise(arguments) if options.run is _lab else ():
        if option.startswith("-") and "=" not in option and option in further:
            if value == options.folder:
                return f"write {option}={value}, or put the folder first"
            if value in further and not value.startswith("-"):
                return f"write {option}={value}"
    if options.run is not _lab or not all(option.startswith("-") for option in further):
        return f"unrecognized arguments: {' '.join(further)}"
    return None


def _sandbox(options: argparse.Namespace) -> int:
    try:
        server = Sandbox(**chosen_options(options)).start()
    except (ValueError, OSError) as error:
        print_error(f"astria-nb sandbox: {error}")
        return 1
    for fault in options.fault:
        server.fail(fault)
    with server:
        _print(f"export ASTRIA_BASE_URL={server.url}")
        _print(f"export ASTRIA_API_KEY={server.api_key}")
        _print("# Nothing is charged here. Press Ctrl-C to stop.")
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        stopped.wait()
    return 0


def _lab(options: argparse.Namespace) -> int:
    if find_spec("jupyterlab") is None:
        print_error("jupyterlab is not installed; install it with: pip install 'astria-nb[lab]'")
        return 1
    try:
        return _serve_lab(Path(options.folder), options)
    except OSError as error:
        print_error(f"astria-nb lab: {error}; name another folder, or set TMPDIR to one")
        return 1


def _serve_lab(folder: Path, options: argparse.Namespace) -> int:
    first = copy_notebooks(folder)
    with Sandbox() as server:
        # Kernels without an API key use this sandbox, so that its tunes outlive a kernel.
        environment = {**os.environ, "ASTRIA_SANDBOX_URL": server.url, "ASTRIA_SANDBOX_KEY": server.api_key}
        token = environment.setdefault("JUPYTER_TOKEN", secrets.token_hex(24))
        command = _lab_command(first, options)
        lab = subprocess.Popen(command, env=environment, cwd=folder)  # noqa: S603  our own interpreter
        # Ctrl-C also reaches JupyterLab, which asks for confirmation; this process ends with JupyterLab.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: lab.terminate())
        if (url := _address_of(lab, token)) is not None:
            _print(f"{url}lab/tree/{quote(first)}?token={token}")
            _print(f"Sandbox at {server.url}; notebooks in {folder.resolve()}; press Ctrl-C to stop both.")
        return lab.wait()


def _lab_command(first: str, options: argparse.Namespace) -> list[str]:
    command = [sys.executable, "-m", "jupyterlab"]
    # Its log, some twenty lines, would bury the address.
    command += ["--ServerApp.log_level=ERROR", "--LabApp.log_level=ERROR"]
    command += [f"--ContentsManager.hide_globs={_HIDDEN}", f"--LabApp.default_url=/lab/tree/{quote(first)}"]
    # JupyterLab refuses to run as root, the usual user of a container, without this option.
    command += ["--allow-root"] if os.name == "posix" and os.geteuid() == 0 else []
    # A kernel warns that its messages are not encrypted; since 8.9 they can be.
    if Version(version("jupyter_client")) >= Version("8.9"):
        command += ["--KernelManager.transport_encryption=auto"]
    command += ["--no-browser"] if options.no_browser else []
    command += [] if options.port is None else [f"--port={options.port}"]
    return [*command, *options.further]


def _address_of(lab: subprocess.Popen[bytes], token: str) -> str | None:
    """Return the address of a JupyterLab once it is running; None if it ends first, or has another token."""
    from jupyter_core.paths import jupyter_runtime_dir  # installed with JupyterLab

    while lab.poll() is None:
        for path in Path(jupyter_runtime_dir()).glob("jpserver-*.json"):
            with suppress(OSError, ValueError):  # it is being written, or another server has just ended
                server = json.loads(path.read_text(encoding="utf-8"))
                if server["pid"] == lab.pid or server["token"] == token:
                    if server["token"] != token:
                        return None
                    if _listens(server):
                        return str(server["url"])
        time.sleep(0.1)
    return None


def _listens(server: dict[str, Any]) -> bool:
    """Return whether a Jupyter server accepts connections: its file exists before it does."""
    if server.get("sock"):  # a Unix socket has no port
        return True
    try:
        socket.create_connection((server["hostname"] or "localhost", server["port"]), timeout=1).close()
    except ConnectionRefusedError:
        return False
    except OSError:  # waiting would not help
        pass
    return True


def copy_notebooks(folder: Path) -> str:
    """Copy the example notebooks to a folder without notebooks, and return the name of the first one.

    Parameters
    ----------
    folder : Path
        Created if needed. A folder with notebooks is not changed: they may be someone's work.

    Returns
    -------
    str
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.glob("*.ipynb")):
        shutil.copytree(examples(), folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
    return min(path.name for path in folder.glob("*.ipynb"))


def _port(text: str) -> int:
    if text.isascii() and text.isdecimal() and 0 < int(text) <= _MAX_PORT:
        return int(text)
    raise argparse.ArgumentTypeError(f"{quoted(text)} is not a port; give one from 1 to {_MAX_PORT}")


def _print(line: str) -> None:
    with suppress(OSError, ValueError):  # the output was closed; running programs continue
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
