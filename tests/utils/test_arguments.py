"""Arguments of the public functions: which callbacks are taken."""

import functools
from collections.abc import Callable

import pytest

from astria_nb.errors import AstriaError
from astria_nb.utils.arguments import check_callable


class Counter:
    def add(self, sent: int, total: int) -> None: ...

    def __call__(self, sent: int, total: int, more: int = 0) -> None: ...


def _one(sent: int) -> None: ...


@functools.wraps(_one)
def _wraps_one(*values: int) -> None: ...


TAKEN = [
    lambda a, b: None, lambda a, b=1: None, lambda *all_: None, lambda a, *rest, **more: None,
    lambda a, b, *, mail=1: None, lambda a, b, /: None, Counter(), Counter().add, print,
]  # fmt: skip
REFUSED = [
    lambda: None, lambda a: None, lambda a, b, c: None, lambda a, b, c, *rest: None, lambda **all_: None,
    lambda a, *, b: None, lambda a, b, *, mail: None, Counter.add, _one, _wraps_one,
]  # fmt: skip


@pytest.mark.parametrize("function", TAKEN)
def test_a_function_that_can_be_called_so_is_taken(function: Callable[..., object]) -> None:
    check_callable("on_sent", function, arguments=2)


@pytest.mark.parametrize("function", REFUSED)
def test_a_function_that_takes_another_number_of_arguments_is_refused(
    function: Callable[..., object],
) -> None:
    with pytest.raises(AstriaError, match="cannot be called with 2 arguments"):
        check_callable("on_sent", function, arguments=2)
