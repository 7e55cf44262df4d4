"""Runs a side of a case in this process: ``python tests/benchmarks/side.py CASE SIDE ARGUMENTS``.

The package is imported from PYTHONPATH, which may be another checkout; the case is that of this one.
"""

import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]


def peak_memory() -> int:
    """Return the most bytes that this process has had in memory since it started its program."""
    try:
        with Path("/proc/self/status").open() as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except FileNotFoundError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def figures_of(case: str, side: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what a side measures, in this process."""
    work = getattr(importlib.import_module(f"benchmarks.cases.{case}").CASE, side)
    started, processor = time.perf_counter(), time.process_time()
    if isinstance(work, str):
        sys.argv = ["-c", *arguments.get("argv", [])]
        exec(compile(work, case, "exec"), {"__name__": "__main__"})
        returned = {}
    else:
        returned = work(**arguments) or {}
    whole = {"seconds": time.perf_counter() - started, "processor": time.process_time() - processor}
    return {**whole, "memory": peak_memory(), **returned}


if __name__ == "__main__":
    sys.path[0] = str(TESTS)
    print(json.dumps(figures_of(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))))
