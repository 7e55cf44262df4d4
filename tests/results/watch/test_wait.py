"""Waiting and prompts, on a sandbox."""

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.errors import NotFoundError, TuneError
from helpers.scripted_server import KEY, ScriptedServer, reply

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


def test_tunes_that_are_gone_do_not_keep_back_the_prompts_of_the_others(client: anb.Client):
    frame = pd.concat([submitted(client, name=name) for name in ("cat", "man", "woman")])
    client.delete_tune(frame["id"].iloc[1])
    with pytest.warns(UserWarning, match=rf"skipped: the service no longer has tune {frame['id'].iloc[1]}"):
        prompts = anb.prompts(frame, client)
    assert sorted(prompts["tune_id"].unique()) == frame["id"].iloc[[0, 2]].tolist()
    with pytest.warns(UserWarning, match="skipped"):
        gallery = anb.gallery(frame, client)
    assert gallery.state != "failed"
    gallery.stop()
    with pytest.raises(NotFoundError):
        anb.prompts(frame.iloc[[1]], client)


def test_tunes_that_their_rows_call_deleted_are_named_as_well(client: anb.Client):
    frame = pd.concat([submitted(client, name=name) for name in ("cat", "man")], ignore_index=True)
    client.delete_tune(frame["id"].iloc[0])
    deleted = anb.wait(frame, client, timeout=0)
    assert deleted["status"].iloc[0] == "deleted"
    with pytest.warns(UserWarning, match=rf"skipped: the service no longer has tune {frame['id'].iloc[0]}"):
        prompts = anb.prompts(deleted, client)
    assert prompts["tune_id"].unique().tolist() == [frame["id"].iloc[1]]
    with pytest.raises(NotFoundError, match=rf"no tune {frame['id'].iloc[0]} at http"):
        anb.prompts(deleted.iloc[[0]], client)


def test_prompts_join_to_their_rows(client: anb.Client):
    rows = pd.concat([submitted(client), submitted(client, pack=260, name="woman")], ignore_index=True)
    run = anb.submit(anb.Tune(pack=797, tune_ids=rows["id"].tolist()[:1]), client)
    prompts = anb.prompts(rows, client)
    assert len(prompts.merge(rows, left_on="tune_id", right_on="id")) == len(prompts) > 35
    assert prompts["base_tune_id"].tolist() == [client.prompt(key)["tune_id"] for key in prompts["id"]]
    assert set(anb.prompts(run, client)["tune_id"]) == set(rows["id"][:1])


def test_a_prompt_that_names_no_tune_belongs_to_the_one_that_it_was_listed_for(server: ScriptedServer):
    silent = {"id": 5, "text": "a cat", "tune_id": 1504944, "images": []}
    server.on("GET", "/tunes/7/prompts", reply([silent]), reply([]))
    frame = anb.prompts(anb.rows.tune_frame([{"id": 7}]), anb.Client(KEY, base_url=server.url))
    assert frame[["tune_id", "base_tune_id"]].loc[0].tolist() == [7, 1504944]


@pytest.mark.parametrize(
    "use",
    [anb.wait, anb.prompts, lambda rows, client: anb.download(rows, client, "."), anb.gallery,
     lambda rows, client: anb.expiring(rows, client=client), lambda rows, _: anb.timeline(rows),
     lambda rows, _: anb.costs(rows)],
)  # fmt: skip
def test_prompts_are_no_tunes(client: anb.Client, use: Callable[..., object]):
    prompts = anb.prompts(submitted(client), client)
    with pytest.raises(TuneError, match=r"^frame: these are prompts, not tunes; pass the rows that submit"):
        use(prompts, client)


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
