"""The timeline of tunes and prompts, and that deterministic sandboxes repeat it."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from astria_nb.sandbox import SandboxServer
from helpers.waiting import until
from sandbox.helpers.api import Api


def status(tune: dict[str, object]) -> str:
    if tune["trained_at"]:
        return "trained"
    return "training" if tune["started_training_at"] else "queued"


def test_polling_moves_a_deterministic_clock(api: Api) -> None:
    tune_id = api.train().json()["id"]
    polls = [api.get(f"/tunes/{tune_id}").json() for _ in range(4)]
    assert [status(tune) for tune in polls] == ["queued", "training", "training", "trained"]
    trained = polls[-1]
    assert trained["trained_at"] == trained["eta"] == "2026-01-01T12:10:00.000Z"
    assert trained["expires_at"] == "2026-01-31T12:10:00.000Z"
    prompts = api.get(f"/tunes/{tune_id}/prompts").json()
    assert all(prompt["images"] for prompt in prompts)
    (*_, first) = api.get(f"/tunes/{tune_id}/prompts").json()
    assert first["trained_at"] == "2026-01-01T12:10:03.000Z"
    picture = api.get(first["images"][0], headers={"Authorization": ""})
    assert len(first["images"][0].rpartition("/")[2]) == 28
    assert picture.headers["Date"] == "Thu, 01 Jan 2026 12:24:01 GMT"
    assert (picture.headers["Content-Type"], picture.content[:3]) == ("image/jpeg", b"\xff\xd8\xff")


def test_other_routes_do_not_move_it(api: Api) -> None:
    created = api.train().json()["created_at"]
    for path in ("/packs", "/p/43", "/users", "/nowhere"):
        api.get(path)
    api.train(title="")
    again = api.train().json()["created_at"]
    assert (created, again) == ("2026-01-01T12:00:00.000Z", "2026-01-01T12:00:01.000Z")


def test_a_pending_prompt_has_no_picture_yet(api: Api) -> None:
    tune_id = api.train().json()["id"]
    prompt = api.get(f"/tunes/{tune_id}/prompts").json()[0]
    assert (prompt["images"], prompt["trained_at"], prompt["user_error"]) == ([], None, None)


def test_the_wall_clock_runs_at_speed() -> None:
    with SandboxServer(speed=400) as sandbox, Api(sandbox) as api:  # ten minutes in a second and a half
        began = datetime.now(UTC) - timedelta(milliseconds=1)
        created = api.train(pack=797, name="cat").json()
        start, eta = (datetime.fromisoformat(created[field]) for field in ("created_at", "eta"))
        assert began <= start <= datetime.now(UTC)
        assert eta - start == timedelta(minutes=10) / 400
        statuses = []
        while "trained" not in statuses:
            tune = api.get(f"/tunes/{created['id']}").json()
            statuses += [status(tune)] if status(tune) not in statuses else []
            time.sleep(0.01)
        # A busy machine may not look in time to see each of them.
        assert statuses == [state for state in ("queued", "training", "trained") if state in statuses]
        until(lambda: all(prompt["images"] for prompt in api.get("/prompts").json()))
        prompts = api.get("/prompts").json()
        times = [created["created_at"], tune["started_training_at"], tune["trained_at"]]
        times += [prompt["trained_at"] for prompt in prompts[::-1]]
        assert times == sorted(times)


def story(sandbox: SandboxServer, jpeg: bytes) -> list[object]:
    """Make the same calls to a sandbox and return all its answers."""
    with Api(sandbox) as api:
        form = {"tune[title]": "t", "tune[name]": "man", "tune[characteristics][eye_color]": "blue eyes"}
        replies = [api.post("/p/43/tunes", data=form, files={"tune[images][]": ("1.jpg", jpeg)})]
        replies += [api.train(title="u"), api.train(title="")]
        replies += [api.get(f"/tunes/1000001?poll={poll}") for poll in range(7)]
        replies += [api.get("/prompts"), api.get("/gallery/packs"), api.get("/p/43"), api.get("/users")]
        texts = [reply.text.replace(sandbox.url, "URL") for reply in replies]
        pictures = [
            replies[0].json()["orig_images"][0],
            *replies[-4].json()[-1]["images"],
            replies[-2].json()["cover_url"],
        ]
        return [*texts, *(api.get(url).content for url in pictures)]


def test_the_same_calls_give_the_same_replies(jpeg: bytes) -> None:
    with SandboxServer(deterministic=True) as first, SandboxServer(deterministic=True) as second:
        assert story(first, jpeg) == story(second, jpeg)


def test_picture_addresses_are_not_guessable_otherwise() -> None:
    with SandboxServer() as first, SandboxServer() as second, Api(first) as a, Api(second) as b:
        tokens = [api.get("/p/43").json()["cover_url"].rpartition("/")[2] for api in (a, b)]
        assert tokens[0] != tokens[1]
        assert a.get("/pictures/" + tokens[1]).status_code == 404


@pytest.mark.parametrize(("choice", "status_code"), [("any", 200), ("base", 404)])
def test_a_nested_prompt_under_its_trained_tune(choice: str, status_code: int) -> None:
    with SandboxServer(nested_prompt=choice) as sandbox, Api(sandbox) as api:
        tune_id = api.train().json()["id"]
        prompt_id = api.get("/prompts?limit=1").json()[0]["id"]
        assert api.get(f"/tunes/{tune_id}/prompts/{prompt_id}").status_code == status_code
        assert api.get(f"/tunes/1504944/prompts/{prompt_id}").status_code == 200
