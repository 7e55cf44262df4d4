"""The servers of a benchmark, in processes of their own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def port_of(program: Path, *arguments: object) -> Iterator[int]:
    """Run a program that prints the port that it serves; yield it, and end the program."""
    command = [sys.executable, program, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield int(process.stdout.readline())
        finally:
            process.terminate()
