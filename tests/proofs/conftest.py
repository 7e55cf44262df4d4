"""Proofs take minutes and are run by hand; the tests play a few rounds of them."""

collect_ignore_glob = ["*.py"]
