"""Packs, the account, and paged lists."""

import pytest

from astria_nb.sandbox import SandboxServer
from sandbox.helpers.api import Api


def ids(rows: list[dict[str, object]]) -> list[object]:
    return [row["id"] for row in rows]


def test_own_packs_and_gallery_packs(api: Api) -> None:
    assert ids(api.get("/packs").json()) == [797]
    assert ids(api.get("/packs?public=true").json()) == []
    assert ids(api.get("/gallery/packs.json").json()) == [260, 43]
    assert ids(api.get("/gallery/packs/?public=true&listed=true&limit=1&offset=1").json()) == [43]


@pytest.mark.parametrize("path", ["/p/260", "/p/260.json", "/p/corporate-headshots", "/p/260/"])
def test_a_pack_by_id_and_slug(api: Api, path: str) -> None:
    pack = api.get(path).json()
    assert (pack["id"], pack["title"]) == (260, "Corporate Headshots")
    assert pack["costs"] == {
        "man": {"cost": 331, "num_images": 28},
        "woman": {"cost": 360, "num_images": 35},
    }
    assert {name: len(prompts) for name, prompts in pack["prompts_per_class"].items()} == {
        "man": 28,
        "woman": 35,
    }
    sample = api.get(pack["prompts_per_class"]["man"][0]["images"][0])
    assert (sample.headers["Content-Type"], sample.content[:3]) == ("image/jpeg", b"\xff\xd8\xff")
    assert api.get(pack["cover_url"]).content[:3] == b"\xff\xd8\xff"


@pytest.mark.parametrize(
    ("shape", "in_list", "in_detail"),
    [
        (
            "2024",
            {"cost_mc_hash": {"cat": 198000, "dog": 198000}},
            {"cost_mc_hash": {"cat": 198000, "dog": 198000}},
        ),
        (
            "2025",
            {"cost_mc_hash": {"cat": 198000, "dog": 198000}},
            {"costs": {name: {"cost": 198, "num_images": 8} for name in ("cat", "dog")}},
        ),
        (
            "2026",
            {"costs": {name: {"cost_mc": 198000, "num_images": 8} for name in ("cat", "dog")}},
            {"costs": {name: {"cost_mc": 198000, "num_images": 8} for name in ("cat", "dog")}},
        ),
    ],
)
def test_price_shapes(shape: str, in_list: dict[str, object], in_detail: dict[str, object]) -> None:
    with SandboxServer(price_shape=shape) as sandbox, Api(sandbox) as api:
        for pack, price in ((api.get("/packs").json()[0], in_list), (api.get("/p/pets").json(), in_detail)):
            assert {key: pack[key] for key in ("costs", "cost_mc_hash") if key in pack} == price


def test_a_run_costs_what_its_pack_says(api: Api) -> None:
    before = api.get("/users").json()["usd_balance_mc"]
    api.train(pack=260, name="woman")
    assert before - api.get("/users").json()["usd_balance_mc"] == 360_000


def test_tunes_by_pages(api: Api) -> None:
    tune_ids = [api.train(title=f"t{number % 2}", prompt_ids=[43001]).json()["id"] for number in range(25)]
    newest = tune_ids[::-1]
    assert ids(api.get("/tunes").json()) == newest[:20]
    assert ids(api.get("/tunes", params={"before_id": newest[19]}).json()) == newest[20:]
    assert api.get("/tunes", params={"before_id": tune_ids[0]}).json() == []
    assert ids(api.get("/tunes?limit=200").json()) == newest
    assert ids(api.get("/tunes?limit=2&offset=3").json()) == newest[3:5]
    assert ids(api.get("/tunes?title=t1").json()) == newest[1::2]
    assert ids(api.get("/tunes?title=t").json()) == newest[:20]  # a part of the title matches
    assert api.get("/tunes?title=t2").json() == []
    assert ids(api.get("/tunes?name[]=cat&name[]=man&limit=1").json()) == newest[:1]
    assert api.get("/tunes?name[]=cat").json() == []


def test_prompts_by_pages(api: Api) -> None:
    tune_id = api.train(pack=260, name="woman").json()["id"]
    api.train()
    first = api.get(f"/tunes/{tune_id}/prompts").json()
    second = api.get(f"/tunes/{tune_id}/prompts", params={"before_id": first[-1]["id"]}).json()
    assert (len(first), len(second)) == (20, 15)
    assert ids(first + second) == sorted(ids(first + second), reverse=True)
    assert len(api.get("/prompts?limit=120").json()) == 43
    assert ids(api.get(f"/prompts?tune_id={tune_id}&limit=120").json()) == ids(first + second)
    assert len(api.get("/prompts?base_pack_id=43&limit=120").json()) == 8


def test_at_most_120_rows(api: Api) -> None:
    for _ in range(4):
        api.train(pack=260, name="woman")
    assert len(api.get("/prompts?limit=500").json()) == 120


@pytest.mark.parametrize("path", ["/tunes?offset=201", "/prompts?offset=10001"])
def test_a_deep_offset_points_to_before_id(api: Api, path: str) -> None:
    reply = api.get(path)
    assert reply.status_code == 400
    assert "before_id" in reply.json()["error"]


@pytest.mark.parametrize(
    "query", ["limit=x", "limit=0", "offset=-1", "before_id=-", "limit=" + "9" * 5000, "a=1&a[b]=2"]
)
def test_an_invalid_query_is_a_bad_request(api: Api, query: str) -> None:
    assert api.get(f"/tunes?{query}").status_code == 400


@pytest.mark.parametrize(
    "path", ["/p/1", "/p/none", "/tunes/7", "/tunes/7/prompts", "/prompts/7", "/tunes/1/prompts/7"]
)
def test_what_is_not_there_is_not_found(api: Api, path: str) -> None:
    reply = api.get(path)
    assert (reply.status_code, reply.json()) == (404, {"status": 404, "error": "Not Found"})
