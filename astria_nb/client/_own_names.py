"""The user's own names of photos, added to the service's messages about the names that were sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from astria_nb.errors import ApiError, Problem
from astria_nb.utils.formatting import quoted, shortened
from astria_nb.utils.redaction import redact_name

_MOST = 80  # characters of a name


def add_own_names(error: ApiError, own_names: Mapping[str, str]) -> None:
    """Add the user's own name of a photo after each name of a photo in an error.

    Parameters
    ----------
    error : ApiError
        Its problems are replaced.
    own_names : mapping of str to str
        The user's names, by the names that were sent, such as ``1.jpg``.

    Examples
    --------
    >>> error = ApiError(Problem("images", "7.jpg is too small, 17.jpg as well", "remove it"))
    >>> add_own_names(error, {"7.jpg": "Anna.png"})
    >>> print(error)
    images: 7.jpg (your 'Anna.png') is too small, 17.jpg as well; remove it
    """
    if own_names:
        error.args = tuple(_named(problem, own_names) for problem in error.problems)


def _named(problem: Problem, own_names: Mapping[str, str]) -> Problem:
    names = "|".join(map(re.escape, own_names))

    def own(match: re.Match[str]) -> str:
        name = redact_name(own_names[match[0]])
        return f"{match[0]} (your {quoted(shortened(name, _MOST))})"

    return replace(problem, what=re.sub(rf"(?<![\w.-])(?:{names})(?![\w-])", own, problem.what))
