"""Benchmarks are run by hand: their figures depend on the machine, so they are no tests."""

collect_ignore_glob = ["*.py"]
