"""What a reader of an error needs: where, what, and what to do; and what nobody should see in one."""

import re

from astria_nb.errors import AstriaError, Problem

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_LONGEST = 1000  # characters that are still read


def assert_readable(error: BaseException, *secrets: str) -> None:
    """Make sure that an error is one of ours, and that each of its problems can be read and mended."""
    assert isinstance(error, AstriaError), repr(error)
    assert error.problems
    for problem in error.problems:
        assert isinstance(problem, Problem)
        for part in (problem.field, problem.what, problem.hint):
            assert part.strip(), problem
            assert len(part) <= _LONGEST, (len(part), part[:200])
            assert part.isprintable() or "\n" not in part, problem
    said = str(error)
    assert "Traceback (most recent" not in said
    assert not _ADDRESS.search(said), said
    assert [secret for secret in secrets if secret in said] == []
