"""Checks that an error names the field, the problem and the next step, and exposes nothing."""

import re

from astria_nb.errors import AstriaError, Problem

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_MAX_LENGTH = 1000


def assert_readable(error: BaseException, *secrets: str) -> None:
    """Assert that an error is one of ours, and that each of its problems is readable and has a next step."""
    assert isinstance(error, AstriaError), repr(error)
    assert error.problems
    for problem in error.problems:
        assert isinstance(problem, Problem)
        for part in (problem.field, problem.what, problem.hint):
            assert part.strip(), problem
            assert len(part) <= _MAX_LENGTH, (len(part), part[:200])
            assert part.isprintable() or "\n" not in part, problem
    text = str(error)
    assert "Traceback (most recent" not in text
    assert not _ADDRESS.search(text), text
    assert [secret for secret in secrets if secret in text] == []
