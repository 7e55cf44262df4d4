"""A traceback with the variables of its frames shows each object whose arguments were refused.

Python 3.11 does not survive a `repr` that raises there: all that was to be shown is lost.
"""

import dataclasses
import inspect
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import astria_nb as anb
from astria_nb.client._api_key import ApiKey
from astria_nb.sandbox import Fault, Options
from astria_nb.tune import FIELDS
from helpers.scripted_server import KEY

PUBLIC = [kind for name in anb.__all__ if isinstance(kind := getattr(anb, name), type)]
PARAMETERS: dict[type, list[str]] = {
    anb.Tune: list(FIELDS),
    anb.Sandbox: [field.name for field in dataclasses.fields(Options)],
}
NOT_A_VALUE = [object(), "x y", -1, b"\xff", {"a": object}]


def arguments_of(kind: type) -> Iterator[dict[str, Any]]:
    """Yield what a class does not take: nothing at all, an unknown name, and nonsense for each parameter."""
    yield {}
    yield {"no_such_name": 1}
    for name in PARAMETERS.get(kind) or inspect.signature(kind).parameters:
        yield from ({name: value} for value in NOT_A_VALUE)


def refusals(kind: type) -> Iterator[Exception]:
    for arguments in arguments_of(kind):
        try:
            kind(**arguments)
        except Exception as error:  # noqa: BLE001  whatever it is, it is to be shown
            yield error


@pytest.mark.parametrize("kind", [*PUBLIC, ApiKey, Fault, Options])
def test_a_traceback_shows_what_was_refused(
    kind: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASTRIA_API_KEY", KEY)
    monkeypatch.setenv("ASTRIA_BASE_URL", "http://127.0.0.1:1")
    errors = list(refusals(kind))
    assert errors
    for error in errors:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        assert str(error) in "".join(shown.format())
