"""Benchmarks are measured by hand; the tests run each of them once, in its smallest size."""

from pathlib import Path

# Not patterns: pytest would import the programs to look for doctests.
collect_ignore = [path.name for path in Path(__file__).parent.glob("*.py") if path.name[:5] != "test_"]
collect_ignore.append("cases")
