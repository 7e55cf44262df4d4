"""Submissions in a row: their pack is fetched once, unless something depends on what it is now."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.submission import _engine as engine
from helpers.scripted_server import KEY, PACK, ScriptedServer, reply


@pytest.fixture
def submit(server: ScriptedServer) -> Callable[..., pd.DataFrame]:
    client = anb.Client(KEY, base_url=server.url)

    def submitted(title: str, name: str = "cat", **options: Any) -> pd.DataFrame:
        photos = [f"https://example.com/{title}.jpg"]
        return anb.submit(anb.Tune(pack=43, title=title, name=name, image_urls=photos), client, **options)

    return submitted


def fetched(server: ScriptedServer) -> int:
    return len(server.received("GET", "/p/43"))


def test_a_pack_is_fetched_once_in_a_minute(
    server: ScriptedServer, submit: Callable[..., pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    submit("a")
    submit("b")
    assert fetched(server) == 1
    later = engine.monotonic() + 61
    monkeypatch.setattr(engine, "monotonic", lambda: later)
    submit("c")
    assert fetched(server) == 2


def test_it_is_fetched_again_where_the_price_has_a_limit(
    server: ScriptedServer, submit: Callable[..., pd.DataFrame]
) -> None:
    submit("a")
    server.on("GET", "/p/43", reply({**PACK, "costs": {"cat": {"cost": 100_000}}}))
    with pytest.raises(anb.errors.TuneError, match="max_cost"):
        submit("b", max_cost=1)


def test_it_is_fetched_again_before_a_class_is_refused(
    server: ScriptedServer, submit: Callable[..., pd.DataFrame]
) -> None:
    submit("a")
    server.on("GET", "/p/43", reply({**PACK, "costs": {"dog": {"cost": 1}}}))
    assert len(submit("b", name="dog")) == 1
