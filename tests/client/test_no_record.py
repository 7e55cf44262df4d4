"""A success that is not what was asked for: nobody takes it for a tune, a deletion or an inspection."""

from pathlib import Path
from typing import Any

import pytest

import astria_nb as anb
from astria_nb.client import inspect_each, majority
from astria_nb.errors import OutcomeUnknownError, UnexpectedReplyError
from helpers.scripted_server import PACK, TUNE, ScriptedServer, reply

NO_RECORDS: list[tuple[dict[str, Any], str]] = [
    ({}, "something else"),
    ({"message": "Service under maintenance"}, "'Service under maintenance'"),
    ({"errors": {"base": ["maintenance"]}}, "'maintenance'"),
    ({"error": "no"}, "'no'"),
    ({"title": "t", "status": "trained"}, "something else"),
    ({**TUNE, "id": 8}, "'tune 8'"),
    ({"tune": {"title": "t"}}, "something else"),
]
DENIALS = [{"error": "not now"}, {"errors": {"base": ["not now"]}}, {"status": 422, "message": "not now"}]
URL = "https://e.com/1.jpg"


@pytest.mark.parametrize(("content", "words"), NO_RECORDS)
def test_what_is_no_tune_is_unexpected(
    server: ScriptedServer, client: anb.Client, content: Any, words: str
) -> None:
    server.on("GET", "/tunes/7", reply(content))
    with pytest.raises(UnexpectedReplyError) as caught:
        client.tune(7)
    (problem,) = caught.value.problems
    assert problem.what.startswith(f"the server answered with {words} in place of tune 7")
    assert problem.hint == "try again later, or check base_url"


def test_a_record_may_come_under_its_kind(server: ScriptedServer, client: anb.Client) -> None:
    server.on("GET", "/tunes/7", reply({"tune": TUNE}))
    server.on("GET", "/prompts/3", reply({"prompt": {"id": "3", "text": "a cat"}}))
    assert client.tune(7) == TUNE
    assert client.prompt(3) == {"id": 3, "text": "a cat"}


@pytest.mark.parametrize("content", [content for content, _ in NO_RECORDS])
def test_a_wait_keeps_the_row_and_goes_on(
    server: ScriptedServer, client: anb.Client, content: dict[str, Any]
) -> None:
    trained = {**TUNE, "trained_at": "2026-01-01T12:10:00Z", "expires_at": "2126-01-31T12:00:00Z"}
    server.on("GET", "/tunes/7", reply(content), reply(trained))
    row = anb.rows.tune_frame([TUNE])
    after = anb.wait(row, client, poll=0)
    assert after[["id", "title", "name", "status"]].values.tolist() == [[7, "t", "cat", "trained"]]


@pytest.mark.parametrize("content", [content for content, _ in NO_RECORDS])
def test_a_wait_that_ends_meanwhile_returns_the_row_as_it_was(
    server: ScriptedServer, client: anb.Client, content: dict[str, Any]
) -> None:
    server.on("GET", "/tunes/7", reply(content))
    row = anb.rows.tune_frame([TUNE])
    after = anb.wait(row, client, poll=0, timeout=0.01)
    columns = ["id", "title", "name", "status", "created_at"]
    assert after[columns].equals(row[columns])


@pytest.mark.parametrize("content", [content for content, _ in NO_RECORDS])
def test_keep_longer_sends_nothing_for_a_tune_that_was_not_shown(
    server: ScriptedServer, client: anb.Client, content: dict[str, Any]
) -> None:
    server.on("GET", "/tunes/7", reply(content))
    with pytest.raises(anb.errors.AstriaError, match="in place of tune 7"):
        anb.keep_longer(anb.rows.tune_frame([TUNE]), client)
    assert not server.received("PATCH")


@pytest.mark.parametrize("content", DENIALS)
def test_a_deletion_that_is_denied_is_not_recorded(
    server: ScriptedServer, client: anb.Client, tmp_path: Path, content: dict[str, Any]
) -> None:
    log = anb.ExperimentLog(tmp_path / "log.sqlite")
    server.on("GET", "/p/43", reply(PACK))
    server.on("GET", "/tunes", reply([]))
    server.on("POST", "/p/43/tunes", reply(TUNE, 201))
    anb.submit(anb.Tune(pack=43, title="t", name="cat", image_urls=[URL]), client, log=log)
    server.on("DELETE", "/tunes/7", reply(content))
    server.on("GET", "/tunes/7", reply(TUNE))
    with pytest.raises(UnexpectedReplyError, match="'not now' in place of a success"):
        client.delete_tune(7, log=log)
    assert log.frame()["status"].tolist() == ["queued"]


@pytest.mark.parametrize("content", DENIALS)
def test_a_change_that_is_denied_is_unknown(
    server: ScriptedServer, client: anb.Client, content: dict[str, Any]
) -> None:
    server.on("PATCH", "/tunes/7", reply(content))
    with pytest.raises(OutcomeUnknownError, match=r"whether tune 7 was changed .*'not now' in place of"):
        client.update_tune(7, auto_extend=True)
    server.on("GET", "/tunes/7", reply(TUNE))  # which does not tell its setting
    with pytest.raises(OutcomeUnknownError, match=r"whether tune 7 was changed .*'not now' in place of"):
        anb.keep_longer(anb.rows.tune_frame([TUNE]), client)


@pytest.mark.parametrize("content", [*DENIALS, {"message": "not now"}])
def test_what_is_no_inspection_gives_no_characteristics(
    server: ScriptedServer, client: anb.Client, content: dict[str, Any]
) -> None:
    server.on("POST", "/images/inspect", reply(content))
    (inspection,) = inspect_each([URL], client, name="cat")
    assert "'not now' in place of an inspection" in str(inspection.problem)
    assert majority([inspection]) == {}


def test_words_in_place_of_a_list_are_shown(server: ScriptedServer, client: anb.Client) -> None:
    server.on("GET", "/tunes", reply({"error": "not now"}))
    with pytest.raises(UnexpectedReplyError, match="'not now' in place of a list"):
        list(client.tunes())
