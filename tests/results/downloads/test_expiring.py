"""Which tunes, and with them which pictures, the service deletes soon."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.errors import AstriaError
from helpers.scripted_server import TUNE, Exchange, ScriptedServer, reply

NOW = datetime(2030, 6, 1, 12, tzinfo=UTC)
DATE = format_datetime(NOW, usegmt=True)


def a_tune(number: int, days: float | None, **fields: Any) -> dict[str, Any]:
    """Return a tune that expires in so many days by the service's clock, or is not trained yet."""
    if days is None:
        return {**TUNE, "id": number, "created_at": (NOW - timedelta(hours=1)).isoformat(), **fields}
    times = {"trained_at": NOW + timedelta(days=days - 30), "expires_at": NOW + timedelta(days=days)}
    return {**TUNE, "id": number, **{name: at.isoformat() for name, at in times.items()}, **fields}


def account(server: ScriptedServer, tunes: list[dict[str, Any]]) -> None:
    """Answer with these tunes, newest first."""

    def answer(exchange: Exchange) -> bool:
        before = int(exchange.request.query.get("before_id", 10**9))
        page = [tune for tune in tunes if tune["id"] < before][: int(exchange.request.query["limit"])]
        return reply(page, Date=DATE)(exchange)

    server.on("GET", "/tunes", answer)
    for tune in tunes:
        server.on("GET", f"/tunes/{tune['id']}", reply(tune, Date=DATE))


def test_what_expires_soon_comes_soonest_first(server: ScriptedServer, client: anb.Client) -> None:
    account(server, [a_tune(5, 8), a_tune(4, 6), a_tune(3, -0.01), a_tune(2, 0.5), a_tune(1, None)])
    assert anb.expiring(client=client)["id"].tolist() == [2, 4]
    assert anb.expiring(client=client, days=8)["id"].tolist() == [2, 4, 5]
    assert anb.expiring(client=client, days=0)["id"].tolist() == []


def test_the_services_clock_counts(server: ScriptedServer, client: anb.Client) -> None:
    account(server, [a_tune(1, 3)])
    frame = anb.expiring(client=client)
    assert frame["expires_at"].iloc[0] - pd.Timestamp(client.now()) < pd.Timedelta(days=3.01)
    assert frame["status"].tolist() == ["trained"]


def test_unfinished_rows_are_polled(server: ScriptedServer, client: anb.Client) -> None:
    account(server, [a_tune(3, 2), a_tune(2, 1), a_tune(1, 5)])
    rows = anb.rows.tune_frame([a_tune(1, 5), a_tune(3, None, pack=43), a_tune(4, -1)], NOW)
    frame = anb.expiring(rows, client)
    assert frame["id"].tolist() == [3, 1]
    assert frame["pack"].tolist()[0] == 43
    assert frame.dtypes.equals(rows.dtypes)
    assert [request.path for request in server.requests] == ["/tunes/3"]


def test_no_tunes_are_an_empty_frame_of_the_same_types(server: ScriptedServer, client: anb.Client) -> None:
    account(server, [])
    none = anb.expiring(client=client)
    assert len(none) == 0
    assert none.dtypes.equals(anb.rows.tune_frame([a_tune(1, 1)]).dtypes)
    assert len(anb.expiring(none, client)) == 0


def test_a_long_account_is_read_until_all_tunes_have_expired(
    server: ScriptedServer, client: anb.Client
) -> None:
    young = [a_tune(number, 3) for number in range(5000, 4990, -1)]
    account(server, [*young, *(a_tune(number, -5) for number in range(4990, 0, -1))])
    assert len(anb.expiring(client=client)) == 10
    assert len(server.requests) == 9  # pages of 120 for a thousand and ten


def test_an_old_tune_that_was_extended_is_found(server: ScriptedServer, client: anb.Client) -> None:
    extended = {1000: 3, 1: 4}
    account(server, [a_tune(number, extended.get(number, -5)) for number in range(1900, 0, -1)])
    assert anb.expiring(client=client)["id"].tolist() == [1000, 1]


def test_old_tunes_that_never_trained_count_as_expired(server: ScriptedServer, client: anb.Client) -> None:
    old = (NOW - timedelta(days=90)).isoformat()
    account(server, [a_tune(number, None, created_at=old) for number in range(3000, 0, -1)])
    assert len(anb.expiring(client=client)) == 0
    assert len(server.requests) == 9


@pytest.mark.parametrize("days", [-1, "soon", None, float("nan"), 10**6])
def test_an_invalid_number_of_days_is_reported(client: anb.Client, days: Any) -> None:
    with pytest.raises(AstriaError, match=r"^days: .* is not a valid number of days"):
        anb.expiring(client=client, days=days)


@pytest.mark.parametrize("frame", ["7 days", pd.DataFrame({"a": [1]})])
def test_a_frame_without_tunes_is_refused(client: anb.Client, frame: Any) -> None:
    with pytest.raises(AstriaError, match=r"^frame: expected the DataFrame that submit or wait returned"):
        anb.expiring(frame, client)
