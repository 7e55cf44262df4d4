"""What is said before paying holds against what the service takes."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

import astria_nb as anb
from astria_nb.tune import Pack
from astria_nb.tune._price import estimate
from helpers.waiting import PATIENCE

URL = "https://example.com/1.jpg"
NEW = {"pack": 260, "name": "woman", "image_urls": [URL]}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(speed=1000) as running:
        yield running


@pytest.fixture(scope="module")
def trained(sandbox: anb.Sandbox) -> list[int]:
    """Two tunes that others can be drawn with."""
    client = sandbox.client()
    rows = [anb.submit(anb.Tune(title=f"old {number}", **NEW), client) for number in range(2)]
    sandbox.advance(3600)
    return [int(row.loc[0, "id"]) for row in rows]


def balance(sandbox: anb.Sandbox) -> int:
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    return int(
        requests.get(f"{sandbox.url}/users", headers=headers, timeout=PATIENCE).json()["usd_balance_mc"]
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "about $3.60"),
        ({"prompt_ids": [260029, 260030]}, "at most $3.60"),
        ({"prompt_attributes": {"num_images": 3}}, "at most $10.80"),
        ({"prompt_attributes": {"num_images": "3"}}, "at most $10.80"),  # as text, in a form or in code
        ({"prompt_attributes": {"super_resolution": True}}, "about $3.60"),
        ({"prompt_attributes": {"aspect_ratio": "1:1"}}, "about $3.60"),
        ({"old": 1}, "at most $3.60"),
        ({"old": 2}, "at most $7.20"),
        ({"old": 2, "prompt_attributes": {"num_images": 2}}, "at most $14.40"),
        ({"old": 1, "name": "man"}, "at most $3.31"),
    ],
    ids=str,
)
def test_a_run_costs_no_more_than_was_said(
    sandbox: anb.Sandbox, trained: list[int], fields: dict[str, Any], words: str
) -> None:
    client = sandbox.client()
    changes = dict(fields)
    old = changes.pop("old", 0)
    source = {"pack": 260, "tune_ids": trained[:old]} if old else NEW
    tune = anb.Tune(title=str(fields), **{**source, **changes})
    estimated = estimate(tune, client.pack(260))
    assert estimated is not None
    assert str(estimated) == words
    before = balance(sandbox)
    anb.submit(tune, client)
    taken = before - balance(sandbox)
    assert 0 < taken <= estimated.price_mc
    if not estimated.is_most:
        assert taken == estimated.price_mc


@pytest.mark.parametrize("pictures", ["many", "", float("nan"), float("inf")])
def test_a_number_of_pictures_that_is_not_a_number_is_ignored(pictures: Any) -> None:
    pack = Pack.from_json({"id": 260, "costs": {"woman": {"cost": 360}}})
    tune = anb.Tune(title="t", prompt_attributes={"num_images": "1"}, **NEW)
    tune.prompt_attributes["num_images"] = pictures
    assert str(estimate(tune, pack)) == "about $3.60"


def test_existing_tunes_of_a_class_without_a_price_have_none() -> None:
    pack = Pack.from_json({"id": 260, "costs": {"woman": {"cost": 360}, "man": {}}})
    assert estimate(anb.Tune(pack=260, title="t", tune_ids=[7]), pack) is None
    assert str(estimate(anb.Tune(pack=260, title="t", name="woman", tune_ids=[7]), pack)) == "at most $3.60"
