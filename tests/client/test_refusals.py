"""What is said of a request that was refused: what was asked, and what to do next."""

from collections.abc import Callable
from typing import Any

import pytest

import astria_nb as anb
from astria_nb.errors import (
    ApiError,
    AstriaError,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    RejectedError,
    ServerError,
    UnexpectedReplyError,
)
from astria_nb.tune import encode
from helpers.scripted_server import PACK, TUNE, Answer, ScriptedServer, hang_up, reply

URL = "https://e.com/1.jpg"
Call = Callable[[anb.Client], Any]
CALLS: dict[str, tuple[str, str, Call]] = {
    "tune": ("GET", "/tunes/7", lambda client: client.tune(7)),
    "prompt": ("GET", "/prompts/3", lambda client: client.prompt(3)),
    "tunes": ("GET", "/tunes", lambda client: list(client.tunes())),
    "prompts": ("GET", "/tunes/7/prompts", lambda client: list(client.prompts(7))),
    "pack": ("GET", "/p/43", lambda client: client.pack(43)),
    "packs": ("GET", "/packs", lambda client: client.packs()),
    "wait": ("GET", "/tunes/7", lambda client: anb.wait(anb.rows.tune_frame([TUNE]), client)),
    "expiring": ("GET", "/tunes", lambda client: anb.expiring(client=client)),
    "inspect": ("POST", "/images/inspect", lambda client: client.inspect(URL, name="cat")),
    "like": ("POST", "/prompts/3/likes", lambda client: client.like(3)),
    "unlike": ("DELETE", "/prompts/3/likes", lambda client: client.like(3, liked=False)),
    "delete": ("DELETE", "/tunes/7", lambda client: client.delete_tune(7)),
    "keep": ("PATCH", "/tunes/7", lambda client: client.update_tune(7, auto_extend=True)),
    "look-up of the pack": ("GET", "/p/43", lambda client: anb.submit(tune(), client)),
}
# What the words of a refusal ask of the reader, by status.
STEPS = {
    400: "settle that",
    402: "check the balance and the plan of the account",
    403: "check that the account of this key may do this",
    422: "settle that",
    426: "update this package",
}


def tune(**fields: Any) -> anb.Tune:
    return anb.Tune(**{"pack": 43, "title": "t", "name": "cat", "image_urls": [URL], **fields})


def failure(server: ScriptedServer, client: anb.Client, name: str, answer: Answer) -> AstriaError:
    """Return the error of a call whose request is answered so."""
    method, path, call = CALLS[name]
    server.on("GET", "/tunes", reply([]))
    server.on(method, path, answer)
    with pytest.raises(AstriaError) as caught:
        call(client)
    return caught.value


@pytest.mark.parametrize("name", CALLS)
def test_a_refusal_says_what_was_asked_and_what_to_do(
    server: ScriptedServer, client: anb.Client, name: str
) -> None:
    method, path, _ = CALLS[name]
    for status, step in STEPS.items():
        (problem,) = failure(server, client, name, reply({"error": "no"}, status)).problems
        assert problem.field == ("api_key" if status in (402, 403) else "base_url")
        assert problem.what == f"{method} {path} was refused ({status}: no)"
        assert problem.hint.endswith(f"{step}, then try again")


@pytest.mark.parametrize("status", [400, 402, 403, 404, 405, 409, 410, 413, 414, 422, 426, 451])
@pytest.mark.parametrize("name", CALLS)
def test_only_the_paid_request_says_that_nothing_was_created(
    server: ScriptedServer, client: anb.Client, name: str, status: int
) -> None:
    if (name, status) == ("wait", 404):  # it is gone, or not there yet
        return
    for content in ({}, {"error": "no"}, {"errors": {"base": ["no"]}}, {"title": ["no"]}):
        error = failure(server, client, name, reply(content, status))
        assert "nothing was created" not in str(error)
        assert "submit" not in str(error)
        assert all(problem.field != "tune" for problem in error.problems)


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (400, "fix it and submit again; nothing was created"),
        (402, "check the balance and the plan of the account, then submit again; nothing was created"),
        (403, "check that the account of this key may do this, then submit again; nothing was created"),
        (404, "check pack and tune_ids; nothing was created"),
        (422, "fix it and submit again; nothing was created"),
        (426, "update this package, then submit again; nothing was created"),
    ],
)
def test_a_refusal_of_the_paid_request_says_that_nothing_was_created(
    server: ScriptedServer, client: anb.Client, status: int, hint: str
) -> None:
    server.on("POST", "/p/43/tunes", reply({"error": "no"}, status))
    with encode(tune()) as body, pytest.raises(ApiError) as caught:
        client.create_tune(43, body)
    assert caught.value.problems[0].hint == hint
    assert caught.value.problems[0].field == ("pack" if status == 404 else "tune")


@pytest.mark.parametrize("name", ["tunes", "packs", "inspect"])
def test_an_address_that_is_not_there_is_no_id(server: ScriptedServer, client: anb.Client, name: str) -> None:
    error = failure(server, client, name, reply({"error": "Not Found"}, 404))
    assert isinstance(error, NotFoundError)
    method, path, _ = CALLS[name]
    assert str(error) == f"base_url: {method} {path} is not there (Not Found); check base_url"


def test_a_field_that_the_service_names_is_named(server: ScriptedServer, client: anb.Client) -> None:
    error = failure(server, client, "tunes", reply({"before_id": ["is too large"]}, 400))
    assert str(error) == "before_id: is too large; fix it, then try again"


def test_the_page_of_a_gateway_leads_to_what_stands_between(
    server: ScriptedServer, client: anb.Client
) -> None:
    page = reply(body=b"<html><title>400 Bad Request</title>", status=400, Content_Type="text/html")
    (problem,) = failure(server, client, "tune", page).problems
    assert problem.hint.startswith("check base_url, and whether a proxy, a VPN or a sign-in page")


@pytest.mark.parametrize("name", CALLS)
def test_too_many_requests_are_called_so(server: ScriptedServer, client: anb.Client, name: str) -> None:
    if name != "wait":  # which goes on
        error = failure(server, client, name, reply({"error": "slow down"}, 429))
        assert error.problems[0].what == "the service asks for fewer requests (429: slow down)"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply({"error": "oops"}, 500), ServerError),
        (reply({"error": "took too long"}, 408), RejectedError),
        (hang_up, NotSentError),
        (reply({}, 302), UnexpectedReplyError),
        (reply({"error": "not now"}), UnexpectedReplyError),
    ],
)
def test_a_like_that_may_be_done_is_not_to_be_repeated_blindly(
    server: ScriptedServer, client: anb.Client, answer: Answer, kind: type
) -> None:
    error = failure(server, client, "like", answer)
    assert type(error) is kind
    assert error.problems[0].hint.endswith("but look at client.prompt(3)['liked'] first")


def test_a_refused_look_up_after_a_lost_answer_does_not_say_that_nothing_was_created(
    server: ScriptedServer, client: anb.Client
) -> None:
    server.on("GET", "/p/43", reply(PACK))
    server.on("GET", "/tunes", reply([]), reply({"error": "Forbidden"}, 403))
    server.on("POST", "/p/43/tunes", reply({}, 504))
    log = anb.ExperimentLog()
    with pytest.raises(
        OutcomeUnknownError, match=r"\(403: Forbidden\).*submit it again, which looks"
    ) as lost:
        anb.submit(tune(), client, log=log, settle=0)
    with pytest.raises(OutcomeUnknownError) as left:
        log.recover(client, settle=0)
    assert "nothing was created" not in f"{lost.value} {left.value}"
