"""Odd answers: none loses an accepted tune, pays twice, shows the key, or escapes as a raw error."""

import contextlib
import traceback
from pathlib import Path
from typing import Any

import pytest

import astria_nb as anb
from astria_nb.client import _transport as transport
from astria_nb.errors import AstriaError, OutcomeUnknownError, TuneError
from astria_nb.tune import encode
from helpers.scripted_server import KEY, PACK, TUNE, ScriptedServer, cut, hang_up, reply, reset

URLS: dict[str, Any] = {"image_urls": ["https://e.com/1.jpg"]}


def tune(**fields: Any) -> anb.Tune:
    return anb.Tune(**{"pack": 43, "title": "t", "name": "cat", **fields})


@pytest.mark.parametrize(
    "fault",
    [reply({}, 500), reply({}, 429), hang_up, reset(), reply(body=b"<html>")],
    ids=["500", "429", "hang up", "reset", "HTML"],
)
def test_a_look_up_that_fails_after_an_accepted_run_does_not_say_that_nothing_was_created(
    server: ScriptedServer, client: anb.Client, fault: Any
) -> None:
    server.on("GET", "/tunes/5/prompts", reply([]), fault)
    server.on("POST", "/p/43/tunes", reply({"status": 201, "message": "Prompts created"}, 201))
    try:
        row = anb.submit(anb.Tune(pack=43, tune_ids=[5]), client)
    except OutcomeUnknownError:
        return
    assert list(row.loc[0, "tune_ids"]) == [5]


def test_the_prompt_ids_that_the_reply_tells_are_in_the_row(
    server: ScriptedServer, client: anb.Client
) -> None:
    server.on("GET", "/tunes/5/prompts", reply([]))
    content = {"status": 201, "order": {"id": 1, "tune_ids": [5]}, "prompt_ids": [8, 9]}
    server.on("POST", "/p/43/tunes", reply(content, 201))
    row = anb.submit(anb.Tune(pack=43, tune_ids=[5]), client)
    assert list(row.loc[0, "prompt_ids"]) == [8, 9]


@pytest.mark.parametrize("content", [{}, {"message": "ok"}, {"id": None}, {"error": "no balance"}])
def test_a_training_reply_without_an_id_is_not_a_success(
    server: ScriptedServer, client: anb.Client, content: Any
) -> None:
    server.on("POST", "/p/43/tunes", reply(content, 200))
    with pytest.raises(OutcomeUnknownError):
        anb.submit(tune(**URLS), client)


@pytest.mark.parametrize("headers", [{"Date": "Mon, 01 Jan 0001 00:00:00 +2359"}])
def test_an_odd_date_does_not_lose_an_accepted_tune(
    server: ScriptedServer, client: anb.Client, headers: Any
) -> None:
    server.on("POST", "/p/43/tunes", reply(TUNE, 201, **headers))
    assert anb.submit(tune(**URLS), client).loc[0, "id"] == 7


@pytest.mark.parametrize(
    "content",
    [b'{"id": 7, "title": "\\ud800"}', b'{"id": 7, "cfg_scale": 1' + b"0" * 400 + b"}"],
    ids=["surrogate", "huge"],
)
def test_an_odd_reply_does_not_lose_an_accepted_tune(
    server: ScriptedServer, client: anb.Client, content: bytes
) -> None:
    server.on("POST", "/p/43/tunes", reply(body=content, status=201))
    assert anb.submit(tune(**URLS), client).loc[0, "id"] == 7


def test_a_reply_nested_too_deep_leaves_the_outcome_unknown(
    server: ScriptedServer, client: anb.Client
) -> None:
    server.on("POST", "/p/43/tunes", reply(body=b"[" * 200_000, status=201))
    with pytest.raises(OutcomeUnknownError):
        client.create_tune(43, encode(tune(**URLS)))


def test_a_second_send_of_a_body_does_not_wait_for_ten_minutes(
    server: ScriptedServer, client: anb.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "ANSWER_SECONDS", 2)
    body = encode(tune(**URLS))
    client.create_tune(43, body)
    with pytest.raises(Exception, match=r"sent|used|once"):
        client.create_tune(43, body)
    assert len(server.requests) == 1


def test_a_proxy_of_the_environment_does_not_get_what_is_meant_for_this_machine(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer().running() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        client = anb.Client(KEY, base_url=server.url)
        with contextlib.suppress(AstriaError):
            client.pack(43)
        assert [request.target for request in proxy.requests] == []


def test_a_file_cut_in_mid_upload_does_not_show_the_key_in_the_frames(
    server: ScriptedServer, client: anb.Client, photos: list[Path]
) -> None:
    with encode(tune(images=photos)) as body:
        photos[3].write_bytes(b"")
        with pytest.raises(TuneError) as caught:
            client.create_tune(43, body)
        leaks = [
            frame.f_code.co_qualname
            for frame, _ in traceback.walk_tb(caught.value.__traceback__)
            if KEY in repr(frame.f_locals)
        ]
        assert leaks == []


def test_a_service_that_echoes_the_key_is_not_repeated(server: ScriptedServer, client: anb.Client) -> None:
    server.on("GET", "/tunes/7", reply({"error": f"bad header: Bearer {KEY}"}, 400))
    with pytest.raises(AstriaError) as caught:
        client.tune(7)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("entry", ["default", "machine 127.0.0.1"])
def test_a_redirected_picture_does_not_get_a_password_from_netrc(
    server: ScriptedServer, client: anb.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    (tmp_path / "netrc").write_text(f"{entry} login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.on("GET", "/a", reply(status=302, Location="/b"))
    server.on("GET", "/b", reply(body=b"jpeg"))
    client.picture(f"{server.url}/a")
    assert [request.headers["Authorization"] for request in server.requests] == [None, None]


@pytest.mark.parametrize(
    "content", [{}, {"id": None}, {"id": "abc"}, {"id": 43, "costs": {"man": {"cost": float("inf")}}}]
)
def test_a_reply_that_is_not_a_pack_is_a_typed_error(
    server: ScriptedServer, client: anb.Client, content: Any
) -> None:
    server.on("GET", "/p/43", reply(content))
    with contextlib.suppress(AstriaError):
        client.pack(43)


@pytest.mark.parametrize(
    "answer",
    [cut({"a": "b" * 100}, Content_Length=1000), reply(body=b"x" * 99, Content_Encoding="gzip"), reset()],
    ids=["cut", "gzip", "reset"],
)
def test_a_picture_that_breaks_off_is_a_typed_error(
    server: ScriptedServer, client: anb.Client, answer: Any
) -> None:
    server.on("GET", "/a", answer)
    with pytest.raises(AstriaError):
        client.picture(f"{server.url}/a")


def test_an_impossible_host_is_a_typed_error() -> None:
    with pytest.raises(AstriaError):
        anb.Client(KEY, base_url=f"https://{'a' * 64}.example").pack(43)


def test_a_list_that_ignores_before_id_ends(server: ScriptedServer, client: anb.Client) -> None:
    server.on("GET", "/tunes", reply([{"id": 3}, {"id": 2}]))
    ids = []
    try:
        for tune in client.tunes():
            ids.append(tune["id"])
            if len(ids) > 10:
                break
    except AstriaError:
        pass
    assert ids == [3, 2]


def test_two_dots_are_not_a_pack(server: ScriptedServer, client: anb.Client) -> None:
    server.on("POST", "/tunes", reply(TUNE, 201))
    with contextlib.suppress(AstriaError, ValueError):
        client.create_tune("..", encode(tune(**URLS)))
    assert server.received("POST", "/tunes") == []


def test_a_get_that_breaks_off_does_not_say_that_it_was_not_reached(
    server: ScriptedServer, client: anb.Client
) -> None:
    server.on("GET", "/tunes/7", cut(TUNE, Content_Length=10_000))
    with pytest.raises(AstriaError) as caught:
        client.tune(7)
    assert "cannot be reached" not in str(caught.value)


DENIALS: dict[str, dict[str, Any]] = {
    "errors": {"errors": {"base": ["no balance"]}},
    "a status": {"status": 422, "message": "no balance"},
    "no success": {"success": False, "message": "no balance"},
}


@pytest.mark.parametrize("content", DENIALS.values(), ids=DENIALS.keys())
def test_a_run_that_is_denied_with_a_success_is_not_taken_for_one(
    server: ScriptedServer, client: anb.Client, tmp_path: Path, content: dict[str, Any]
) -> None:
    log = anb.ExperimentLog(tmp_path / "log.sqlite")
    server.on("GET", "/p/43", reply(PACK))
    server.on("GET", "/tunes/5/prompts", reply([]))
    server.on("POST", "/p/43/tunes", reply(content))
    run = anb.Tune(pack=43, tune_ids=[5])
    with pytest.raises(OutcomeUnknownError, match="an answer without a tune: no balance"):
        anb.submit(run, client, log=log, settle=0)
    assert log.frame()["state"].tolist() == ["needs_review"]


@pytest.mark.parametrize("content", DENIALS.values(), ids=DENIALS.keys())
def test_a_run_that_was_made_for_all_its_denial_is_found(
    server: ScriptedServer, client: anb.Client, tmp_path: Path, content: dict[str, Any]
) -> None:
    log = anb.ExperimentLog(tmp_path / "log.sqlite")
    server.on("GET", "/p/43", reply(PACK))
    made = [{"id": 9, "text": "a cat", "tune_id": 5}]
    server.on("GET", "/tunes/5/prompts", reply([]), reply(made), reply([]))
    server.on("POST", "/p/43/tunes", reply(content))
    row = anb.submit(anb.Tune(pack=43, tune_ids=[5]), client, log=log, settle=0)
    assert list(row.loc[0, "prompt_ids"]) == [9]
    assert log.frame()["state"].tolist() == ["adopted"]
    assert len(server.received("POST")) == 1


def test_a_run_whose_reply_names_its_prompts_made_them_whatever_else_it_says(
    server: ScriptedServer, client: anb.Client
) -> None:
    server.on("GET", "/tunes/5/prompts", reply([]))
    content = {"status": 422, "errors": {"images": ["one is dark"]}, "prompt_ids": [8, 9]}
    server.on("POST", "/p/43/tunes", reply(content, 201))
    row = anb.submit(anb.Tune(pack=43, tune_ids=[5]), client)
    assert list(row.loc[0, "prompt_ids"]) == [8, 9]
