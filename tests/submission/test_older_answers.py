"""An account that recognises titles may answer with a tune that it does not list: nothing was trained."""

import warnings
from typing import Any

import pandas as pd
import pytest

import astria_nb as anb
from helpers.scripted_server import TUNE, ScriptedServer, reply

NEWER = [{**TUNE, "id": 1000, "title": "newer"}]
CLOCK = {"Date": "Thu, 01 Jan 2026 12:05:00 GMT"}


def a_tune(title: str = "t") -> anb.Tune:
    return anb.Tune(pack=43, name="cat", title=title, image_urls=["https://example.com/1.jpg"])


def test_a_tune_of_a_smaller_id_than_the_newest_is_announced(
    server: ScriptedServer, client: anb.Client
) -> None:
    server.on("GET", "/tunes", reply(NEWER))
    said = r"older than this request: tune 7, made on 2026-01-01 at 12:00 UTC\. It knew the title 't' already"
    with pytest.warns(UserWarning, match=said) as caught:
        row = anb.submit(a_tune(), client)
    assert caught[0].filename == __file__
    assert row["id"].tolist() == [7]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert anb.submit(a_tune(), client)["id"].tolist() == [7]  # on record by now


@pytest.mark.parametrize(
    ("made", "is_older"),
    [("2026-01-01T11:50:00.000Z", True), ("2026-01-01T12:04:30.000Z", False), ("soon", False), (None, False)],
)
def test_a_tune_that_was_made_before_by_the_clock_of_the_service_is_announced(
    server: ScriptedServer, client: anb.Client, made: Any, is_older: bool
) -> None:
    server.on("GET", "/p/43", reply({"id": 43, "costs": {"cat": {"cost": 200}}}, **CLOCK))
    server.on("GET", "/tunes", reply([], **CLOCK))
    server.on("POST", "/p/43/tunes", reply({**TUNE, "created_at": made}, 201, **CLOCK))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        anb.submit(a_tune(), client)
    assert ["is older than this request" in str(one.message) for one in caught] == [True] * is_older


def test_older_tunes_of_a_batch_are_announced_together(server: ScriptedServer, client: anb.Client) -> None:
    server.on("GET", "/tunes", reply(NEWER))
    server.on("POST", "/p/43/tunes", *(reply({**TUNE, "id": id_, "title": "t"}, 201) for id_ in (7, 8, 1001)))
    frame = pd.DataFrame([vars(a_tune(title)) for title in "abc"])
    with pytest.warns(
        UserWarning, match=r"answered 2 rows with .* tune [78], made on .*, tune [78], made on"
    ):
        rows = anb.submit_many(frame, client)
    assert rows["state"].tolist() == ["done"] * 3
