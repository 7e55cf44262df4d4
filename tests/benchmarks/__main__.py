"""Run all benchmarks: ``python -m tests.benchmarks --help``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # as pytest has it

from benchmarks.command import main

sys.exit(main())
