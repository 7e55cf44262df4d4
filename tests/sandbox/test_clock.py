"""Moving the clock: as far as it can go, and what is no way forward."""

import math
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from astria_nb.sandbox import SandboxServer
from sandbox.helpers.api import Api

CENTURY = 100 * 365.25 * 86_400


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (3e11, "out of range; give 0 to "),
        (1e308, "out of range; give 0 to "),
        (10**400, "out of range; give 0 to "),
        (-1, "out of range; give 0 to "),
        ("1h", "not of the right type; give a number"),
        (None, "not of the right type; give a number"),
        (math.nan, "not of the right type; give a number"),
        (math.inf, "not of the right type; give a number"),
    ],
)
@pytest.mark.parametrize("deterministic", [True, False])
def test_what_is_no_way_forward_is_refused_and_changes_nothing(
    seconds: object, said: str, deterministic: bool
) -> None:
    with SandboxServer(deterministic=deterministic) as sandbox, Api(sandbox) as api:
        with pytest.raises(ValueError, match=f"^seconds: .*{said}"):
            sandbox.advance(seconds)  # type: ignore[arg-type]
        assert api.train().json()["created_at"] < "2100"


def test_a_number_of_a_frame_moves_it() -> None:
    with SandboxServer(deterministic=True) as sandbox, Api(sandbox) as api:
        sandbox.advance(np.int64(86_400))
        assert api.train().json()["created_at"].startswith("2026-01-02T12:00:00")


def test_no_sum_of_steps_leads_out_of_the_calendar_nor_does_a_restart(tmp_path: Path) -> None:
    options = {"data": tmp_path, "deterministic": True}
    with SandboxServer(**options) as sandbox:
        for _ in range(69):
            sandbox.advance(CENTURY)
    with SandboxServer(**options) as sandbox, Api(sandbox) as api:
        with pytest.raises(ValueError, match=r"give 0 to 2[0-9]*, which is the year 9000"):
            sandbox.advance(CENTURY)
        assert api.train().json()["expires_at"] is None
        for _ in range(4):
            api.get("/tunes")
        (tune,) = api.get("/tunes").json()
        assert tune["expires_at"] > "8926"


def test_an_account_whose_clock_went_too_far_is_of_use_again(tmp_path: Path) -> None:
    options = {"data": tmp_path, "deterministic": True}
    with SandboxServer(**options) as sandbox, Api(sandbox) as api:
        created = api.train().json()["id"]
    with sqlite3.connect(tmp_path / "account.sqlite") as account:
        account.execute("UPDATE fact SET json = '300000000000000' WHERE name = 'now'")
    account.close()
    with SandboxServer(**options) as sandbox, Api(sandbox) as api:
        assert [tune["id"] for tune in api.get("/tunes").json()] == [created]
