"""How long `import astria_nb` takes beside starting a bare interpreter.

Run ``python tests/benchmarks/import_time.py [runs]``.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

PROMISED_RATIO = 3.0
ROOT = Path(__file__).parents[2]


def milliseconds(code: str) -> float:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    return (time.perf_counter() - started) * 1000


def main(runs: int = 60) -> int:
    codes = {"bare interpreter": "pass", "import astria_nb": "import astria_nb"}
    for code in codes.values():
        milliseconds(code)  # fills the file cache
    # Alternating, so that a busy moment slows both.
    timings: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(runs):
        for name, code in codes.items():
            timings[name].append(milliseconds(code))
    bare, ours = (statistics.median(durations) for durations in timings.values())
    print(f"{'bare interpreter':<24}{bare:8.1f} ms   median of {runs}")
    print(f"{'with import astria_nb':<24}{ours:8.1f} ms")
    print(f"{'difference':<24}{ours - bare:8.1f} ms")
    print(f"{'with / bare':<24}{ours / bare:8.2f}      promised: at most {PROMISED_RATIO}")
    return ours / bare > PROMISED_RATIO


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
