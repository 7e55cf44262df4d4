"""Each choice of each option, as a client sees it."""

import argparse
from typing import Any

import pytest

from astria_nb.sandbox import SandboxServer, add_arguments, chosen_options
from sandbox.helpers.api import Api, image_bytes

DAY = 86_400
URLS = {"image_urls": ["https://example.com/1.jpg"]}


def open_api(**options: Any) -> tuple[SandboxServer, Api]:
    sandbox = SandboxServer(**{"deterministic": True, **options}).start()
    return sandbox, Api(sandbox)


@pytest.fixture
def with_options(request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    """Return a function that starts a sandbox with options and returns its API."""

    def start(**options: Any) -> Api:
        sandbox, api = open_api(**options)
        request.addfinalizer(sandbox.stop)
        request.addfinalizer(api.close)
        return api

    return start


@pytest.mark.parametrize(
    ("name", "hint"),
    [("speeds", r"did you mean 'speed'\?"), ("path", "the options are "), ("fail_rate", "the options are ")],
)
def test_an_unknown_option_names_one_only_if_it_was_meant(name: str, hint: str) -> None:
    with pytest.raises(TypeError, match=f"a sandbox has no option '{name}'; {hint}"):
        SandboxServer(**{name: 1})


# Access and accepted files


@pytest.mark.parametrize(("needed", "status"), [(True, 401), (False, 200)])
def test_the_gallery_without_a_key(with_options, needed: bool, status: int) -> None:
    api = with_options(gallery_needs_key=needed)
    for path in ("/gallery/packs", "/gallery/tunes"):
        assert api.get(path, headers={"Authorization": None}).status_code == status
    assert api.get("/packs", headers={"Authorization": None}).status_code == 401


@pytest.mark.parametrize("key", ["error", "message"])
def test_the_key_of_a_refusals_message(with_options, key: str) -> None:
    api = with_options(error_key=key)
    assert api.get("/tunes?limit=x").json().keys() == {key}
    assert api.get("/tunes", headers={"Origin": "null"}).json().keys() == {key}
    assert api.train(title="").json().keys() == {"title"}


@pytest.mark.parametrize("status", [201, 200])
def test_the_reply_to_a_new_pack(with_options, status: int) -> None:
    api = with_options(created_pack=str(status))
    reply = api.post("/packs", json={"pack": {"title": "Mine", "base_tune_id": 1504944}})
    assert reply.status_code == status
    assert [pack["id"] for pack in api.get("/packs").json()] == [reply.json()["id"], 797]


def test_too_few_images(with_options) -> None:
    api = with_options(min_images=3)
    urls = ["https://example.com/1.jpg"] * 3
    assert api.train(image_urls=urls).status_code == 201
    assert api.train(image_urls=urls[:2]).json() == {"images": ["are too few (minimum is 3)"]}


@pytest.mark.parametrize(("taken", "status"), [(True, 201), (False, 422)])
def test_a_webp_image(with_options, taken: bool, status: int) -> None:
    api = with_options(accept_webp=taken)
    form = {"tune[title]": "t", "tune[name]": "man"}
    for kind, expected in (("WEBP", status), ("PNG", 201)):
        files = {"tune[images][]": ("1", image_bytes(kind))}
        assert api.post("/p/43/tunes", data=form, files=files).status_code == expected


def test_a_caption_beside_an_image_is_not_an_image(with_options, jpeg: bytes) -> None:
    api = with_options()
    form = {"tune[title]": "t", "tune[name]": "man"}
    caption = ("tune[images][]", ("1.txt", b"a man with glasses"))
    both = api.post("/p/43/tunes", data=form, files=[("tune[images][]", ("1.jpg", jpeg)), caption])
    assert (both.status_code, len(both.json()["orig_images"])) == (201, 1)
    assert api.post("/p/43/tunes", data=form, files=[caption]).json().keys() == {"images"}
    binary = ("tune[images][]", ("1.txt", b"\xff\x00"))
    assert api.post("/p/43/tunes", data=form, files=[binary]).json().keys() == {"images"}


# Idempotency


def test_without_idempotency_the_same_title_trains_again(with_options) -> None:
    api = with_options()
    assert api.train().json()["id"] != api.train().json()["id"]


@pytest.mark.parametrize("status", ["201", "200"])
def test_with_idempotency_the_same_title_is_the_same_tune_and_costs_once(with_options, status: str) -> None:
    api = with_options(idempotent=True, idempotent_status=status)
    first = api.train(title="t")
    balance = api.get("/users").json()["usd_balance_mc"]
    again = api.train(title="t")
    assert (first.status_code, again.status_code) == (201, int(status))
    assert again.json()["id"] == first.json()["id"]
    assert api.train(title="u").json()["id"] != first.json()["id"]
    assert api.get("/users").json()["usd_balance_mc"] == balance - 198_000
    assert len(api.get("/prompts?limit=120").json()) == 16
    assert [len(request.tune_ids) for request in api.sandbox.ledger if request.method == "POST"] == [1, 0, 1]


@pytest.mark.parametrize(("match", "same"), [("title", True), ("title_name_pack", False)])
def test_what_has_to_match(with_options, match: str, same: bool) -> None:
    api = with_options(idempotent=True, idempotent_match=match)
    first = api.train(name="man").json()["id"]
    assert (api.train(name="woman").json()["id"] == first) is same
    assert (api.train(pack=260, name="man").json()["id"] == first) is same
    assert api.train(name="man").json()["id"] == first


@pytest.mark.parametrize(("finds", "same"), [("all", True), ("usable", False)])
def test_whether_a_failed_or_expired_tune_counts(with_options, finds: str, same: bool) -> None:
    api = with_options(idempotent=True, idempotent_finds=finds)
    api.sandbox.fail("training")
    failed = api.train(title="failed").json()["id"]
    fine = api.train(title="fine").json()["id"]
    api.sandbox.advance(3600)
    assert api.train(title="fine").json()["id"] == fine
    assert (api.train(title="failed").json()["id"] == failed) is same
    api.sandbox.advance(31 * DAY)
    assert (api.train(title="fine").json()["id"] == fine) is same


def test_a_deleted_tune_never_counts(with_options) -> None:
    api = with_options(idempotent=True)
    first = api.train().json()["id"]
    api.delete(f"/tunes/{first}")
    assert api.train().json()["id"] != first


def test_the_same_prompt_is_made_once_on_an_idempotent_account(with_options) -> None:
    api = with_options(idempotent=True)
    tune_id = api.train(prompt_ids=[43001]).json()["id"]
    prompt = {"text": "on a boat", "seed": 7}

    def make(**changes: Any) -> int:
        return int(api.post(f"/tunes/{tune_id}/prompts", json={"prompt": prompt | changes}).json()["id"])

    first = make()
    assert make() == first
    assert make(film_grain=True) == first  # an attribute that is not compared
    assert len({first, make(seed=8), make(text="on a ship"), make(num_images=2)}) == 4
    run = {"tune": {"tune_ids": [tune_id], "prompt_ids": [43001]}}
    before = len(api.get("/prompts").json())
    api.post("/p/43/tunes", json=run)
    assert len(api.get("/prompts").json()) == before  # the run's only prompt was there from the training


def test_without_idempotency_the_same_prompt_is_made_twice(with_options) -> None:
    api = with_options()
    tune_id = api.train().json()["id"]
    first, second = (
        api.post(f"/tunes/{tune_id}/prompts", json={"prompt": {"text": "a"}}).json()["id"] for _ in range(2)
    )
    assert first != second


# Failure and expiry


def test_a_failed_training_is_shown_and_refunded_and_makes_no_pictures(with_options) -> None:
    api = with_options(tune_fields="record")
    before = api.get("/users").json()["usd_balance_mc"]
    api.sandbox.fail("training", "POST /p/43/tunes")
    created = api.train().json()
    assert created["trained_at"] is None
    assert api.get("/users").json()["usd_balance_mc"] == before - 198_000
    api.sandbox.advance(3600)
    tune = api.get(f"/tunes/{created['id']}").json()
    assert (tune["trained_at"], tune["expires_at"], tune["cost_mc"]) == (None, None, 0)
    assert tune["failed_at"] == tune["eta"] == "2026-01-01T12:10:00.000Z"
    assert api.get("/users").json()["usd_balance_mc"] == before - 48_000  # the pictures
    assert all(prompt["images"] == [] for prompt in api.get("/prompts").json())
    assert api.train().json()["id"] > created["id"]  # the fault struck once


@pytest.mark.parametrize(("choice", "has_failed_at"), [("failed_at", True), ("hidden", False)])
def test_how_a_failed_tune_shows(with_options, choice: str, has_failed_at: bool) -> None:
    api = with_options(failed_tune=choice)
    api.sandbox.fail("training")
    tune_id = api.train().json()["id"]
    assert "failed_at" not in api.get(f"/tunes/{tune_id}").json()
    api.sandbox.advance(3600)
    tune = api.get(f"/tunes/{tune_id}").json()
    assert ("failed_at" in tune, tune["trained_at"]) == (has_failed_at, None)


@pytest.mark.parametrize(("choice", "error"), [("pending", False), ("user_error", True)])
def test_the_prompts_of_a_failed_tune(with_options, choice: str, error: bool) -> None:
    api = with_options(failed_tune_prompts=choice)
    api.sandbox.fail("training")
    api.train()
    api.sandbox.advance(31 * DAY)
    for prompt in api.get("/prompts").json():
        assert (prompt["user_error"] is not None) is error
        assert (prompt["started_training_at"] is not None) is error
        assert (prompt["trained_at"] is not None) is error


def test_prompts_that_fail_show_an_error(with_options) -> None:
    api = with_options()
    api.sandbox.fail("prompt", number=2, message="no face was found")
    api.train()
    assert {prompt["user_error"] for prompt in api.get("/prompts").json()} == {None}
    api.sandbox.advance(3600)
    prompts = api.get("/prompts").json()[::-1]
    assert [prompt["user_error"] for prompt in prompts] == ["no face was found"] * 2 + [None] * 6
    assert [len(prompt["images"]) for prompt in prompts] == [0, 0] + [1] * 6
    assert all(prompt["trained_at"] for prompt in prompts)


def test_expired_pictures_are_not_found(with_options, jpeg: bytes) -> None:
    api = with_options()
    form = {"tune[title]": "t", "tune[name]": "man", "tune[prompt_ids][]": "43001"}
    tune_id = api.post("/p/43/tunes", data=form, files={"tune[images][]": ("1.jpg", jpeg)}).json()["id"]
    api.sandbox.advance(3600)
    tune, (prompt,) = api.get(f"/tunes/{tune_id}").json(), api.get("/prompts").json()
    pictures = [*tune["orig_images"], *prompt["images"]]
    assert tune["expires_at"] == "2026-01-31T12:10:00.000Z"
    assert [api.get(url).status_code for url in pictures] == [200, 200]
    api.sandbox.advance(31 * DAY)
    assert [api.get(url).status_code for url in pictures] == [404, 404]
    assert api.get(f"/tunes/{tune_id}").json()["expires_at"] == "2026-01-31T12:10:00.000Z"


@pytest.mark.parametrize(("choice", "extended"), [("kept", True), ("ignored", False)])
def test_auto_extend_moves_the_expiry(with_options, choice: str, extended: bool) -> None:
    api = with_options(auto_extend_on_packs=choice)
    tune_id = api.train(auto_extend=True).json()["id"]
    api.sandbox.advance(45 * DAY)
    expires_at = api.get(f"/tunes/{tune_id}").json()["expires_at"]
    assert expires_at == ("2026-03-02T12:10:00.000Z" if extended else "2026-01-31T12:10:00.000Z")


# Money


@pytest.mark.parametrize(("policy", "status"), [("422", 422), ("402", 402), ("ignored", 201)])
def test_an_empty_balance(with_options, policy: str, status: int) -> None:
    api = with_options(balance_mc=200_000, empty_balance=policy)
    assert api.train().status_code == 201
    again = api.train()
    assert again.status_code == status
    if status != 201:
        assert list(again.json()) == ["base"]
        assert len(api.get("/tunes").json()) == 1


@pytest.mark.parametrize(("choice", "cost"), [("ignored", 198_000), ("mock", 48_000)])
def test_the_branch_of_a_pack_run(with_options, choice: str, cost: int) -> None:
    api = with_options(branch_on_packs=choice, balance_mc=1_000_000)
    tune = api.train(branch="fast").json()
    assert api.get("/users").json()["usd_balance_mc"] == 1_000_000 - cost
    minutes = {"ignored": "10", "mock": "01"}[choice]
    assert tune["eta"] == f"2026-01-01T12:{minutes}:00.000Z"


def test_a_mock_run_without_a_pack_is_free(with_options) -> None:
    api = with_options(balance_mc=0)
    tune = {"title": "t", "name": "man", "branch": "fast", "model_type": "lora", **URLS}
    assert api.post("/tunes", json={"tune": tune}).status_code == 201
    assert api.post("/tunes", json={"tune": tune | {"branch": None}}).status_code == 422


# Shapes and statuses


def test_a_multi_pack_composes_tunes(with_options) -> None:
    api = with_options()
    ids = [api.train(name=name, title=name).json()["id"] for name in ("man", "woman")]
    refused = api.train(pack=1204, name="couple")
    assert (refused.status_code, list(refused.json())) == (422, ["tune_ids"])
    reply = api.post("/p/couples/tunes", json={"tune": {"tune_ids": ids}})
    assert reply.status_code == 201
    order = reply.json()["order"]
    assert order["tune_ids"] == ids[::-1]
    assert order["total_cost_mc"] == 24_000
    prompts = api.get(f"/prompts?order_id={order['id']}").json()
    assert [prompt["id"] for prompt in prompts] == reply.json()["prompt_ids"]
    for prompt in prompts:
        assert [tune["id"] for tune in prompt["tunes"]] == ids
        assert prompt["text"].startswith(f"<lora:{ids[0]}:1> <lora:{ids[1]}:1> photo of ")


@pytest.mark.parametrize(("choice", "shape"), [("object", dict), ("array", list)])
def test_a_faceid_tune_is_trained_at_once(with_options, choice: str, shape: type) -> None:
    api = with_options(faceid_reply=choice)
    tune = {"title": "t", "name": "man", "model_type": "faceid", **URLS}
    reply = api.post("/tunes", json={"tune": tune}).json()
    assert type(reply) is shape
    created = reply[0] if isinstance(reply, list) else reply
    assert (created["created_at"], created["trained_at"]) == (
        "2026-01-01T12:00:00.000Z",
        "2026-01-01T11:59:59.900Z",
    )


@pytest.mark.parametrize("status", [200, 204])
def test_the_reply_to_a_change(with_options, status: int) -> None:
    api = with_options(patched_tune=str(status))
    tune_id = api.train().json()["id"]
    reply = api.patch(f"/tunes/{tune_id}", json={"tune": {"title": "another", "auto_extend": True}})
    assert reply.status_code == status
    assert (reply.content == b"") is (status == 204)
    assert api.get(f"/tunes/{tune_id}").json()["title"] == "another"


@pytest.mark.parametrize("status", [200, 204])
def test_the_reply_to_a_prompts_deletion(with_options, status: int) -> None:
    api = with_options(deleted_prompt=str(status))
    api.train(prompt_ids=[43001])
    prompt_id = api.get("/prompts").json()[0]["id"]
    assert api.delete(f"/prompts/{prompt_id}").status_code == status
    assert api.get("/prompts").json() == []


@pytest.mark.parametrize(("choice", "expected"), [("posted", "own"), ("base", "base")])
def test_the_tune_of_a_posted_prompt(with_options, choice: str, expected: str) -> None:
    api = with_options(prompt_tune_id=choice)
    tune_id = api.train().json()["id"]
    prompt = api.post(f"/tunes/{tune_id}/prompts", json={"prompt": {"text": "a"}}).json()
    assert prompt["tune_id"] == {"own": tune_id, "base": 1504944}[expected]
    assert [tune["id"] for tune in prompt["tunes"]] == [tune_id]


def test_a_prompt_of_the_base_model_uses_the_tunes_that_its_text_names(with_options) -> None:
    api = with_options()
    tune_id = api.train().json()["id"]
    text = f"<lora:{tune_id}:0.8> portrait of ohwx man"
    prompt = api.post("/tunes/1504944/prompts", json={"prompt": {"text": text}}).json()
    assert (prompt["text"], prompt["tune_id"]) == (text, 1504944)
    assert [tune["id"] for tune in prompt["tunes"]] == [tune_id]
    foreign = api.post("/tunes/1504944/prompts", json={"prompt": {"text": "<lora:7:1> portrait"}}).json()
    assert foreign["tunes"] == []


@pytest.mark.parametrize(("choice", "status"), [("clamp", 200), ("refuse", 400)])
def test_a_limit_over_the_maximum(with_options, choice: str, status: int) -> None:
    api = with_options(limit_above_maximum=choice)
    for path in ("/tunes", "/prompts", "/gallery/packs"):
        assert api.get(f"{path}?limit=121").status_code == status
        assert api.get(f"{path}?limit=120").status_code == 200


@pytest.mark.parametrize(("choice", "pack_ids"), [("listed", [260, 43]), ("public", [1204, 260, 43])])
def test_what_the_gallery_shows(with_options, choice: str, pack_ids: list[int]) -> None:
    api = with_options(gallery=choice)
    assert [pack["id"] for pack in api.get("/gallery/packs").json()] == pack_ids
    assert [pack["id"] for pack in api.get("/gallery/packs?listed=true").json()] == [260, 43]
    assert api.get("/p/couples").json()["unlisted_at"] is not None


def test_a_checkpoint_takes_its_prompts_with_it_and_a_lora_leaves_them(with_options) -> None:
    api = with_options()
    tune = {"title": "t", "name": "man", "prompts_attributes": [{"text": "a"}], **URLS}
    for model_type, prompts_left in ((None, 0), ("lora", 1)):
        created = api.post("/tunes", json={"tune": tune | {"model_type": model_type}}).json()
        assert api.delete(f"/tunes/{created['id']}").status_code == 200
        assert api.get(f"/tunes/{created['id']}").status_code == 404
        assert len(api.get("/prompts").json()) == prompts_left


def test_a_liked_template_comes_first_in_its_pack(with_options) -> None:
    api = with_options()
    api.train(prompt_ids=[43003])
    prompt_id = api.get("/prompts").json()[0]["id"]

    def first() -> int:
        return int(api.get("/p/43").json()["prompts_per_class"]["man"][0]["id"])

    assert first() == 43001
    api.post(f"/prompts/{prompt_id}/likes")
    assert first() == 43003
    api.delete(f"/prompts/{prompt_id}/likes")
    assert first() == 43001


@pytest.mark.parametrize(
    ("field", "value"), [("gallery", "none"), ("empty_balance", "500"), ("speed", -1), ("speed", 1e-300)]
)
def test_a_value_that_is_not_a_choice_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{field}: "):
        SandboxServer(**{field: value})


def test_hosts_on_the_command_line_are_separated_by_commas_or_repeated_flags() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    arguments = ["--fetch-urls", "example.com, 127.0.0.1:8000", "--fetch-urls", "[::1]:80"]
    options = chosen_options(parser.parse_args(arguments))
    assert options["fetch_urls"] == ("example.com", "127.0.0.1:8000", "[::1]:80")
    assert options["allowed_hosts"] == ()
    assert SandboxServer(**options).options.fetch_urls == options["fetch_urls"]
