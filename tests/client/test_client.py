"""The client: what it sends, where, and how often, and the error for each answer."""

import base64
import itertools
from pathlib import Path
from typing import Any

import pytest

import astria_nb as anb
from astria_nb import errors
from astria_nb.client import _transport as transport
from astria_nb.tune import Body, encode
from helpers.scripted_server import KEY, TUNE, ScriptedServer, reply

REDIRECTS = [301, 302, 303, 307, 308]


def body(encoding: Any = "json") -> Body:
    return encode(anb.Tune(pack=43, title="t", name="cat", image_urls=["https://e.com/1.jpg"]), encoding)


@pytest.mark.parametrize(
    ("call", "target"),
    [
        (lambda client: client.pack(43), "/p/43"),
        (lambda client: client.pack("corporate-headshots"), "/p/corporate-headshots"),
        (lambda client: client.packs(), "/packs?limit=120&offset=0"),
        (lambda client: client.packs(gallery=True), "/gallery/packs?limit=120&offset=0"),
        (
            lambda client: client.packs(listed=True, public=False),
            "/packs?listed=true&public=false&limit=120&offset=0",
        ),
        (lambda client: client.tune(7), "/tunes/7"),
        (lambda client: list(client.tunes()), "/tunes?limit=120"),
        (lambda client: list(client.tunes(title="a&b=ü")), "/tunes?limit=120&title=a%26b%3D%C3%BC"),
        (lambda client: list(client.tunes(before_id=9)), "/tunes?limit=120&before_id=9"),
        (lambda client: list(client.prompts(7)), "/tunes/7/prompts?limit=120"),
        (lambda client: client.prompt(3), "/prompts/3"),
    ],
)
def test_each_call_asks_for_its_own_address_with_the_key(
    server: ScriptedServer, client: anb.Client, call: Any, target: str
) -> None:
    path = target.partition("?")[0]
    last = path.rpartition("/")[2]
    record = {"id": int(last) if last.isdecimal() else 43}
    server.on("GET", path, reply([] if "s?" in target else record))
    call(client)
    (request,) = server.requests
    assert (request.method, request.target, request.body) == ("GET", target, b"")
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["Accept"] == "application/json"


@pytest.mark.parametrize("pack", ["a/b?c", "..", "", 0, -1])
def test_an_invalid_pack_is_not_requested(
    server: ScriptedServer, client: anb.Client, pack: int | str
) -> None:
    with pytest.raises(errors.TuneError, match=r"^pack: "):
        client.pack(pack)
    assert server.requests == []


@pytest.mark.parametrize("encoding", ["multipart", "form", "json"])
def test_a_tune_is_posted_to_its_pack_with_type_and_length(
    server: ScriptedServer, client: anb.Client, encoding: str
) -> None:
    sent = body(encoding)
    assert client.create_tune(43, sent) == TUNE
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/p/43/tunes")
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["Content-Type"] == sent.content_type
    assert int(request.headers["Content-Length"]) == len(sent) == len(request.body)
    assert "Transfer-Encoding" not in request.headers


def test_an_array_of_one_is_its_item(server: ScriptedServer, client: anb.Client) -> None:
    server.on("POST", "/p/43/tunes", reply([TUNE], 201))
    assert client.create_tune(43, body()) == TUNE


@pytest.mark.parametrize("status", REDIRECTS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_redirect_is_followed(
    server: ScriptedServer, client: anb.Client, method: str, status: int
) -> None:
    path = "/tunes/7" if method == "GET" else "/p/43/tunes"
    server.on(method, path, reply({}, status, Location=f"{server.url}/elsewhere"))
    if method == "GET":
        with pytest.raises(errors.UnexpectedReplyError, match=f"a redirect \\({status}\\)") as caught:
            client.tune(7)
        assert caught.value.status == status
    else:
        with pytest.raises(errors.OutcomeUnknownError, match=f"status {status}"):
            client.create_tune(43, body())
    assert len(server.requests) == 1


@pytest.mark.parametrize("entry", ["machine 127.0.0.1", "default"])
def test_a_netrc_does_not_replace_the_key(
    server: ScriptedServer, client: anb.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    (tmp_path / "netrc").write_text(f"{entry} login someone password else\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.on("GET", "/picture", reply(body=b"jpeg"))
    client.create_tune(43, body())
    client.pack(43)
    client.picture(f"{server.url}/picture")
    sent = [request.headers["Authorization"] for request in server.requests]
    assert sent == [f"Bearer {KEY}", f"Bearer {KEY}", None]
    assert base64.b64encode(b"someone:else").decode() not in str(sent)


def pages(path: str, server: ScriptedServer, rows: list[list[int]]) -> None:
    server.on("GET", path, *(reply([{"id": record_id} for record_id in page]) for page in rows))


@pytest.mark.parametrize("path", ["/tunes", "/tunes/7/prompts"])
def test_a_list_is_read_page_by_page_to_the_empty_one(
    server: ScriptedServer, client: anb.Client, path: str
) -> None:
    pages(path, server, [[9, 8], [5], []])
    records = client.tunes(title="t") if path == "/tunes" else client.prompts(7)
    assert [record["id"] for record in records] == [9, 8, 5]
    assert [request.query.get("before_id") for request in server.requests] == [None, "8", "5"]
    assert {request.query.get("title") for request in server.requests} == {"t" if path == "/tunes" else None}


def test_a_page_is_fetched_only_when_it_is_needed(server: ScriptedServer, client: anb.Client) -> None:
    pages("/tunes", server, [[9, 8], [7, 6], []])
    tunes = client.tunes()
    assert server.requests == []
    assert [tune["id"] for tune in itertools.islice(tunes, 2)] == [9, 8]
    assert len(server.requests) == 1
    assert next(tunes)["id"] == 7
    assert len(server.requests) == 2


def test_packs_are_read_to_the_empty_page(server: ScriptedServer, client: anb.Client) -> None:
    pages("/packs", server, [[3, 2], [1], []])
    assert [pack.id for pack in client.packs()] == [3, 2, 1]
    assert [request.query["offset"] for request in server.requests] == ["0", "2", "3"]


def test_packs_come_once_from_a_service_that_ignores_the_offset(
    server: ScriptedServer, client: anb.Client
) -> None:
    pages("/gallery/packs", server, [[3, 2]])
    assert [pack.id for pack in client.packs(gallery=True)] == [3, 2]
    assert len(server.requests) == 2


def test_the_clients_clock_follows_the_last_answer(server: ScriptedServer, client: anb.Client) -> None:
    server.on(
        "GET", "/tunes/7", reply(TUNE, Date="Tue, 01 Jan 2030 12:00:00 GMT"), reply(TUNE, Date="nonsense")
    )
    client.tune(7)
    assert f"{client.now():%Y-%m-%d %H:%M %Z}" == "2030-01-01 12:00 UTC"
    client.tune(7)
    assert f"{client.now():%Y-%m-%d}" == "2030-01-01"


def test_a_picture_is_fetched_without_the_key(server: ScriptedServer, client: anb.Client) -> None:
    server.on("GET", "/a", reply(status=302, Location="/b"))
    server.on("GET", "/b", reply(body=b"\xff\xd8jpeg", Content_Type="image/jpeg"))
    assert client.picture(f"{server.url}/a") == b"\xff\xd8jpeg"
    assert [request.headers["Authorization"] for request in server.requests] == [None, None]


def test_a_picture_has_a_size_limit(
    server: ScriptedServer, client: anb.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "PICTURE_BYTES", 2**20)
    server.on("GET", "/fits", reply(body=bytes(2**20)))
    server.on("GET", "/large", reply(body=bytes(2**20 + 1)))
    assert len(client.picture(f"{server.url}/fits")) == 2**20
    with pytest.raises(errors.AstriaError, match="larger than 1 MiB"):
        client.picture(f"{server.url}/large")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://e.com/a", "nothing", "http://", "http://[::1"])
def test_only_a_web_address_is_a_picture(client: anb.Client, url: str) -> None:
    with pytest.raises(errors.AstriaError, match=r"images: the picture .* cannot be fetched"):
        client.picture(url)
