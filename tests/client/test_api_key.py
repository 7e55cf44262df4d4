"""The API key: where it may come from, where it may be sent, and that nothing else shows it."""

import pickle
import socket
import traceback
from typing import Any

import pytest

import astria_nb as anb
from astria_nb.client._api_key import ApiKey
from astria_nb.errors import AstriaError, CredentialsError, NotSentError
from astria_nb.tune import Body, encode
from helpers.own_address import own_address
from helpers.scripted_server import KEY, TUNE, Answer, ScriptedServer, cut, hang_up, reply, reset


def body() -> Body:
    return encode(anb.Tune(pack=43, title="t", name="cat", image_urls=["https://e.com/1.jpg"]))


@pytest.mark.parametrize(
    "url",
    [
        "http://api.astria.ai", "http://localhost.example.com", "http://127.0.0.1.example.com", "ftp://127.0.0.1",
        "http://someone@127.0.0.1", "http://127.0.0.1:0", "https://", "api.astria.ai", "https://a.b?c=d",
        "http://192.168.1.2", "http://0.0.0.0", "http://[::1", "http://example.com\\@127.0.0.1",
    ],
)  # fmt: skip
def test_an_address_that_would_expose_the_key_is_refused(url: str) -> None:
    with pytest.raises(CredentialsError, match="base_url: "):
        anb.Client(KEY, base_url=url)


@pytest.mark.parametrize("url", ["https://api.astria.ai", "http://localhost:3000", "http://127.9.9.9"])
def test_https_and_this_machine_are_fine(url: str) -> None:
    assert anb.Client(KEY, base_url=url).base_url == url


def test_a_sandbox_on_the_network_gets_its_own_key_only() -> None:
    tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://e.com/1.jpg"], prompt_ids=[43017])
    with anb.Sandbox(host=own_address(), deterministic=True) as sandbox:
        for key in (KEY, "sd_sandbo_1234567890"):
            with pytest.raises(CredentialsError, match=r"unencrypted; use https://.* or a sandbox's own key"):
                anb.Client(key, base_url=sandbox.url)
        assert sandbox.ledger == []
        client = anb.Client(sandbox.api_key, base_url=sandbox.url)
        prompts = anb.prompts(anb.wait(anb.submit(tune, client), client, poll=0), client)
        (picture,) = prompts["images"][0]
        assert picture.startswith(f"{sandbox.url}/pictures/")
        assert client.picture(picture)[:2] == b"\xff\xd8"


@pytest.mark.parametrize("key", ["sd_x", "sk_12345678", "sd_two words"])
def test_a_sandbox_takes_no_key_that_the_client_refuses(key: str) -> None:
    with pytest.raises(CredentialsError) as refused:
        anb.Client(key, base_url="http://127.0.0.1:1")
    with pytest.raises(ValueError, match=r"^api_key: ") as not_started:
        anb.Sandbox(api_key=key)
    assert str(not_started.value).startswith(str(refused.value).partition(";")[0])


@pytest.mark.parametrize(
    ("url", "base_url"),
    [("https://API.astria.ai/", "https://api.astria.ai"), ("http://[::1]:80", "http://[::1]")],
)
def test_an_address_has_one_spelling(url: str, base_url: str) -> None:
    assert anb.Client(KEY, base_url=url).base_url == base_url


@pytest.mark.parametrize(
    "key",
    ["sd_abc\r\nX-Evil: 1", "sd_abc\ndef", "sd_ümlaut", "sd_a b c d", "sk_12345678", "sd_1234", "x" * 9],
)
def test_a_key_that_cannot_be_one_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(CredentialsError, match="api_key: is not an Astria key") as caught:
        anb.Client(key, base_url="http://127.0.0.1:1")
    assert key not in str(caught.value)


def test_the_key_and_the_address_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, server: ScriptedServer
) -> None:
    monkeypatch.setenv("ASTRIA_API_KEY", f" {KEY}\n")
    monkeypatch.setenv("ASTRIA_BASE_URL", server.url + "/")
    anb.Client().pack(43)
    assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    anb.Client(ApiKey("sd_another_key")).pack(43)
    assert server.requests[1].headers["Authorization"] == "Bearer sd_another_key"


def test_a_missing_key_says_where_to_find_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASTRIA_API_KEY", raising=False)
    with pytest.raises(CredentialsError, match=r"api_key: no API key found; set ASTRIA_API_KEY .*https://"):
        anb.Client()


def where_it_shows(error: BaseException) -> list[str]:
    """Return the places in an error, its causes and its frames where the key can be read."""
    places, chain = {}, [error]
    for link in chain:
        chain += [cause for cause in (link.__cause__, link.__context__) if cause is not None]
        places[f"{type(link).__name__} text"] = f"{link} {link!r} {link.args} {vars(link)}"
        for frame, _ in traceback.walk_tb(link.__traceback__):
            places[f"{type(link).__name__} in {frame.f_code.co_qualname}"] = repr(frame.f_locals)
    return [place for place, text in places.items() if KEY in text]


FAULTS = {
    "HTML": reply(body=b"<html>", Content_Type="text/html"),
    "truncated": cut(TUNE),
    "broken gzip": reply(TUNE, Content_Encoding="gzip"),
    "reset": reset(),
    "hung up": hang_up,
    **{str(status): reply({"error": "because"}, status) for status in (302, 401, 404, 422, 429, 500)},
}


@pytest.mark.parametrize("answer", FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize(
    "call", [lambda c: c.tune(7), lambda c: c.create_tune(43, body())], ids=["GET", "POST"]
)
def test_no_error_of_a_call_shows_the_key(
    server: ScriptedServer, client: anb.Client, answer: Answer, call: Any
) -> None:
    server.on("GET", "/tunes/7", answer)
    server.on("POST", "/p/43/tunes", answer)
    with pytest.raises(AstriaError) as caught:
        call(client)
    assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    assert where_it_shows(caught.value) == []
    assert KEY.encode() not in pickle.dumps(caught.value)
    assert pickle.loads(pickle.dumps(caught.value)).problems == caught.value.problems


def test_an_error_of_the_connection_does_not_show_the_key() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    client = anb.Client(KEY, base_url=f"http://127.0.0.1:{port}")
    with pytest.raises(NotSentError) as caught:
        client.create_tune(43, body())
    assert where_it_shows(caught.value) == []


def test_a_client_neither_shows_nor_pickles_its_key(client: anb.Client) -> None:
    assert KEY not in f"{client} {client!r} {vars(client)}"
    assert "sd_…1234" in repr(client)
    with pytest.raises(TypeError, match="holds an API key"):
        pickle.dumps(client)
    with pytest.raises(TypeError, match="cannot be pickled or copied"):
        pickle.dumps(client._transport.key)
