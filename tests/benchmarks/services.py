"""Servers in processes of their own, which end with the block."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path(__file__).parent


@contextmanager
def serving(program: str, *arguments: object) -> Iterator[str]:
    """Run a program of this folder that prints its port, and yield its address."""
    command = [sys.executable, FOLDER / program, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()
