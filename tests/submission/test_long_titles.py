"""A service may keep the first 255 characters of a title only."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.errors import OutcomeUnknownError
from helpers.scripted_server import TUNE, Exchange, ScriptedServer, reply

BEGINNING = "L" * 255
REMARK = "title: has more than 255 characters, .* shorten it"


def a_tune(title: str) -> anb.Tune:
    return anb.Tune(pack=43, name="cat", title=title, image_urls=["https://example.com/1.jpg"])


class CuttingService:
    """Makes tunes of short titles; the answers to the first requests are lost."""

    def __init__(self, server: ScriptedServer, lost: int) -> None:
        self.tunes: list[dict[str, Any]] = []
        self.lost = lost
        server.on("POST", "/p/43/tunes", self.make)
        server.on("GET", "/tunes", self.show)

    def make(self, exchange: Exchange) -> bool:
        answer = reply({}, 504)
        exchange.read()
        title = json.loads(exchange.request.body)["tune"]["title"]
        self.tunes.append({**TUNE, "id": 7 + len(self.tunes), "title": title[:255]})
        del exchange.request.headers["Content-Length"]  # it was read
        self.lost -= 1
        return (answer if self.lost >= 0 else reply(self.tunes[-1], 201))(exchange)

    def show(self, exchange: Exchange) -> bool:
        before = int(exchange.request.query.get("before_id", 10**9))
        return reply([one for one in self.tunes[::-1] if one["id"] < before])(exchange)


def test_a_lost_tune_is_found_by_the_beginning_of_its_title(
    server: ScriptedServer, client: anb.Client
) -> None:
    service = CuttingService(server, lost=1)
    with pytest.warns(UserWarning, match=REMARK):
        row = anb.submit(a_tune(BEGINNING + "a"), client, encoding="json", settle=0)
    assert row[["id", "title"]].to_numpy().tolist() == [[7, BEGINNING + "a"]]
    assert len(service.tunes) == 1


def test_an_exact_title_is_not_taken_for_the_beginning_of_another(
    server: ScriptedServer, client: anb.Client, tmp_path: Path
) -> None:
    """Without a record, the tune may be that of any title that begins so."""
    service = CuttingService(server, lost=0)
    with pytest.warns(UserWarning, match=REMARK):
        anb.submit(a_tune(BEGINNING + "a"), client, encoding="json")
    frame = pd.DataFrame([vars(a_tune(BEGINNING + end)) for end in "bcd"])
    with pytest.warns(UserWarning, match=REMARK):
        rows = anb.submit_many(frame, client, encoding="json", log=anb.ExperimentLog(tmp_path / "new.sqlite"))
    assert sorted(rows["id"]) == [8, 9, 10]
    assert len(service.tunes) == 4


def test_two_titles_of_one_beginning_are_never_one_tune(server: ScriptedServer, client: anb.Client) -> None:
    service = CuttingService(server, lost=0)
    with pytest.warns(UserWarning, match=REMARK):
        rows = [anb.submit(a_tune(BEGINNING + end), client, encoding="json") for end in "ab"]
    assert [row["id"].tolist() for row in rows] == [[7], [8]]
    service.lost = 1
    with pytest.warns(UserWarning, match=REMARK), pytest.raises(OutcomeUnknownError):
        anb.submit(a_tune(BEGINNING + "c"), client, encoding="json", settle=0)


def test_a_batch_remarks_on_its_long_titles_once(server: ScriptedServer, client: anb.Client) -> None:
    CuttingService(server, lost=0)
    frame = pd.DataFrame([vars(a_tune(BEGINNING + end * 9)) for end in "abc"])
    with pytest.warns(UserWarning, match=rf"{REMARK}.*\(in 3 rows\)$") as caught:
        rows = anb.submit_many(frame, client, encoding="json", max_workers=1)
    assert len(caught) == 1
    assert sorted(rows["id"]) == [7, 8, 9]
