"""Waiting and prompts, on a sandbox."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.errors import TuneError

URL = "https://example.com/1.jpg"


@pytest.fixture
def client() -> Iterator[anb.Client]:
    with anb.Sandbox(deterministic=True) as sandbox:
        yield sandbox.client()


def submitted(client: anb.Client, pack: int = 43, name: str = "cat", **fields: Any) -> pd.DataFrame:
    tune = anb.Tune(pack=pack, title=f"{pack} {name}", name=name, image_urls=[URL], **fields)
    return anb.submit(tune, client)


def test_a_row_comes_back_trained_with_the_same_types(client: anb.Client):
    before = submitted(client)
    after = anb.wait(before, client, poll=0)
    assert after["status"].tolist() == ["trained"]
    assert after.dtypes.equals(before.dtypes)
    assert after["expires_at"].iloc[0] - after["trained_at"].iloc[0] == pd.Timedelta(days=30)
    for column in ("pack", "encoding", "title"):
        assert after[column].equals(before[column])


def test_many_rows_are_waited_for_at_once(client: anb.Client):
    rows = pd.concat([submitted(client), submitted(client, pack=260, name="man")], ignore_index=True)
    after = anb.wait(rows, client, poll=0)
    assert after["id"].tolist() == rows["id"].tolist()
    assert after["status"].tolist() == ["trained", "trained"]


def test_a_wait_that_is_too_short_returns_the_row_as_it_is(client: anb.Client):
    row = anb.wait(submitted(client), client, timeout=0)
    assert row["status"].tolist() == ["queued"]
    assert anb.wait(row, client, poll=0)["status"].tolist() == ["trained"]


def test_until_prompts_waits_for_every_picture(client: anb.Client):
    row = anb.wait(submitted(client), client, until="prompts", poll=0)
    assert anb.prompts(row, client)["status"].tolist() == ["done"] * 8


def test_an_unknown_goal_is_named(client: anb.Client):
    with pytest.raises(TuneError, match="until: 'done' is not known; choose trained or prompts"):
        anb.wait(submitted(client), client, until="done")  # type: ignore[arg-type]


def test_all_pages_of_prompts_are_read_oldest_first(client: anb.Client):
    prompts = anb.prompts(submitted(client, pack=260, name="woman"), client)
    assert len(prompts) == 35
    assert prompts["id"].is_monotonic_increasing


def test_a_run_on_existing_tunes_has_the_prompts_that_it_made(client: anb.Client):
    first = submitted(client)
    tune_id = first["id"].iloc[0]
    again = anb.submit(anb.Tune(pack=797, tune_ids=[tune_id]), client)
    run_prompts = anb.prompts(again, client)
    assert run_prompts["base_pack_id"].unique().tolist() == [797]
    assert set(run_prompts["id"]) | set(anb.prompts(first, client)["id"]) == {
        prompt["id"] for prompt in client.prompts(tune_id)
    }
    assert anb.wait(again, client, until="prompts", poll=0)["tune_ids"].iloc[0] == [tune_id]
    assert (anb.prompts(again, client)["status"] == "done").all()
