"""`wait(done=…)` tells that a wait has ended, however it ended."""

import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.errors import AstriaError, UnauthorizedError


@pytest.fixture(scope="module")
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(deterministic=True) as running:
        yield running


@pytest.fixture
def row(sandbox: anb.Sandbox, request: pytest.FixtureRequest) -> pd.DataFrame:
    tune = anb.Tune(pack=43, title=request.node.name, name="cat", image_urls=["https://example.com/1.jpg"])
    return anb.submit(tune, sandbox.client())


def test_it_is_called_once_with_the_rows_that_are_returned(sandbox: anb.Sandbox, row: pd.DataFrame) -> None:
    calls: list[pd.DataFrame] = []
    rows = anb.wait(row, sandbox.client(), poll=0.01, done=calls.append)
    assert rows.loc[0, "status"] == "trained"
    assert len(calls) == 1
    pd.testing.assert_frame_equal(calls[0], rows)


def test_it_is_called_when_the_time_is_over(sandbox: anb.Sandbox, row: pd.DataFrame) -> None:
    calls: list[pd.DataFrame] = []
    anb.wait(row, sandbox.client(), timeout=0, done=calls.append)
    anb.wait(row.iloc[:0], sandbox.client(), done=calls.append)
    assert [len(frame) for frame in calls] == [1, 0]


def test_it_is_called_before_an_error_is_raised(sandbox: anb.Sandbox, row: pd.DataFrame) -> None:
    calls: list[pd.DataFrame] = []
    stranger = anb.Client("sd_nobody0123456789abcdef", base_url=sandbox.url)
    with pytest.raises(UnauthorizedError):
        anb.wait(row.drop(columns="service"), stranger, done=calls.append)
    assert calls[0]["id"].tolist() == row["id"].tolist()


def test_its_error_is_a_warning_that_tells_no_secret(sandbox: anb.Sandbox, row: pd.DataFrame) -> None:
    def fail(_: pd.DataFrame) -> None:
        raise OSError("https://chat.example.com/hooks/secret cannot be reached")

    with pytest.warns(UserWarning, match="done failed .OSError.; the rows are returned") as warned:
        rows = anb.wait(row, sandbox.client(), poll=0.01, done=fail)
    assert rows.loc[0, "status"] == "trained"
    assert "secret" not in str(warned[0].message)


def test_it_is_not_called_after_an_interrupt(
    sandbox: anb.Sandbox, row: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    calls: list[pd.DataFrame] = []
    monkeypatch.setattr("astria_nb.results.watch._wait.time.sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        anb.wait(row, sandbox.client(), poll=60, done=calls.append)
    assert calls == []


async def post(_: pd.DataFrame) -> None:
    """Send nothing."""


@pytest.mark.parametrize(
    ("done", "message"),
    [
        ("mail me", "'mail me' cannot be called; give a function"),
        (post, "is a coroutine function, which nothing would await; give one that is not async"),
        (partial(post), "is a coroutine function"),
        (lambda: None, "cannot be called with 1 argument; give a function of 1 argument"),
        (lambda rows, mail: None, "cannot be called with 1 argument"),
        (partial(print, file=None), None),
        (int, None),
    ],
)
def test_it_can_be_called_with_the_rows_before_anything_is_waited_for(
    sandbox: anb.Sandbox, row: pd.DataFrame, done: Any, message: str | None
) -> None:
    before = len(sandbox.ledger)
    if message is None:
        with warnings.catch_warnings(action="ignore"):
            anb.wait(row, sandbox.client(), timeout=0, done=done)
        return
    with pytest.raises(AstriaError, match=f"done: .*{message}"):
        anb.wait(row, sandbox.client(), done=done)
    assert len(sandbox.ledger) == before


def test_what_it_does_to_the_rows_does_not_change_those_that_are_returned(
    sandbox: anb.Sandbox, row: pd.DataFrame
) -> None:
    rows = anb.wait(row, sandbox.client(), poll=0.01, done=lambda rows: rows.pop("id"))
    assert rows["id"].tolist() == row["id"].tolist()


def test_its_error_loses_no_rows_where_warnings_are_errors(sandbox: anb.Sandbox, row: pd.DataFrame) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = anb.wait(row, sandbox.client(), poll=0.01, done=lambda _: 1 / 0)
    assert rows.loc[0, "status"] == "trained"
