"""A connection that has been idle is not used again: whoever stands between may have forgotten it."""

import itertools

import pytest

import astria_nb as anb
from astria_nb.client import _connection as connection
from helpers.scripted_server import ScriptedServer


@pytest.mark.parametrize(("seconds", "connections"), [(0.5, 1), (5.0, 3)])
def test_a_connection_is_used_again_unless_it_was_idle_for_seconds(
    server: ScriptedServer,
    client: anb.Client,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    connections: int,
) -> None:
    now = 1000.0
    monkeypatch.setattr(connection, "monotonic", lambda: now)
    for _ in range(3):
        assert list(client.tunes(limit=1)) == []
        now += seconds
    assert server.connections == connections


def test_a_paid_request_of_several_parts_uses_one_connection(
    server: ScriptedServer, client: anb.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = itertools.count()
    monkeypatch.setattr(connection, "monotonic", lambda: 10.0 * next(ticks))
    tune = anb.Tune(pack=43, name="cat", title="t", image_urls=["https://example.com/1.jpg"])
    anb.submit(tune, client)
    assert len(server.received("POST")) == 1
    assert server.connections == len(server.requests)
