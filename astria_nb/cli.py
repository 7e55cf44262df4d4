"""The command line: ``astria-nb lab``, ``astria-nb sandbox`` and ``astria-nb log``."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

from astria_nb.cli_log import add_log_command, run_log_command
from astria_nb.sandbox import SandboxServer
from astria_nb.sandbox.cli_options import add_arguments, chosen_options

_HERE = Path(__file__).parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(prog="astria-nb", description="Train Astria tunes from Jupyter.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    lab = commands.add_parser("lab", help="open JupyterLab on the example notebooks, with a sandbox running")
    lab.add_argument(
        "folder", nargs="?", default="astria-notebooks", metavar="DIR", help="default: %(default)s"
    )
    lab.add_argument("--no-browser", action="store_true", help="only print the address")
    lab.add_argument("--port", type=int, help="JupyterLab's port; default: a free one from 8888 on")
    lab.set_defaults(run=_lab)
    sandbox = commands.add_parser(
        "sandbox",
        help="serve a stand-in of the Astria API until Ctrl-C",
        usage="%(prog)s [OPTION...]",
        description="Serve a stand-in of the Astria API until Ctrl-C. "
        "What the API's documents leave open is an option here.",
    )
    add_arguments(sandbox)
    sandbox.set_defaults(run=_sandbox)
    log = commands.add_parser("log", help="show, export or mend the record of your submissions")
    add_log_command(log)
    log.set_defaults(run=run_log_command)
    options = parser.parse_args(arguments)
    status: int = options.run(options)
    return status


def _sandbox(options: argparse.Namespace) -> int:
    try:
        server = SandboxServer(**chosen_options(options)).start()
    except (ValueError, OSError) as error:
        _say(f"astria-nb sandbox: {error}", sys.stderr)
        return 1
    for fault in options.fault:
        server.fail(fault)
    with server:
        _say(f"export ASTRIA_BASE_URL={server.url}")
        _say(f"export ASTRIA_API_KEY={server.api_key}")
        _say("# Nothing is charged here. Stop it with Ctrl-C.")
        stopped = threading.Event()
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, lambda *_: stopped.set())
        stopped.wait()
    return 0


def _lab(options: argparse.Namespace) -> int:
    if find_spec("jupyterlab") is None:
        _say("jupyterlab is not installed; install it with: pip install 'astria-nb[lab]'", sys.stderr)
        return 1
    folder = Path(options.folder)
    first = copy_notebooks(folder)
    with SandboxServer() as server:
        # Kernels that find no key of your own use this sandbox, so that tunes outlive a kernel.
        environment = {**os.environ, "ASTRIA_SANDBOX_URL": server.url, "ASTRIA_SANDBOX_KEY": server.api_key}
        command = [sys.executable, "-m", "jupyterlab", f"--LabApp.default_url=/lab/tree/{quote(first)}"]
        # In a container one often is root, and JupyterLab would refuse to start.
        command += ["--allow-root"] if os.name == "posix" and os.geteuid() == 0 else []
        command += ["--no-browser"] if options.no_browser else []
        command += [f"--port={options.port}"] if options.port else []
        _say(f"Sandbox at {server.url}; notebooks in {folder.resolve()}; stop both with Ctrl-C.")
        lab = subprocess.Popen(command, env=environment, cwd=folder)  # noqa: S603  our own interpreter
        # Ctrl-C reaches JupyterLab as well, which asks whether it is meant; we end when it does.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: lab.terminate())
        return lab.wait()


def copy_notebooks(folder: Path) -> str:
    """Copy the example notebooks to where there are none, and return the first one's name.

    Parameters
    ----------
    folder : Path
        Made if need be. A folder that holds notebooks is left as it is: they may hold someone's work.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.glob("*.ipynb")):
        shutil.copytree(examples(), folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
    return min(path.name for path in folder.glob("*.ipynb"))


def examples() -> Path:
    """Return the folder of the example notebooks: in the package, or beside it in a checkout."""
    packaged = _HERE / "notebooks"
    return packaged if packaged.is_dir() else _HERE.parent / "notebooks"


def _say(line: str, file: TextIO = sys.stdout) -> None:
    print(line, file=file, flush=True)


if __name__ == "__main__":
    sys.exit(main())
