"""Which requests are let in."""

import pytest

from astria_nb.sandbox import SandboxServer
from sandbox.helpers.api import Api


def test_a_real_key_is_refused_with_a_warning(api: Api) -> None:
    reply = api.get("/packs", headers={"Authorization": "Bearer sd_realLookingKey"})
    assert reply.status_code == 401
    assert "real account" in reply.headers["X-Sandbox-Hint"]
    assert "realLookingKey" not in reply.text + str(reply.headers)


def test_the_key_can_be_chosen() -> None:
    with SandboxServer(api_key=" sd_mine_ ") as sandbox, Api(sandbox) as api:
        assert api.get("/packs").status_code == 200
        assert "sd_mine" not in repr(sandbox)


def test_a_foreign_host_or_origin_is_refused(api: Api) -> None:
    port = api.sandbox.url.rpartition(":")[2]
    hosts = [{"Host": f"evil.example:{port}"}, {"Host": "127.0.0.1"}]
    origins = ("https://evil.example", "null", f"http://127.0.0.1:{int(port) - 1}")
    foreign = [("/pictures/x", headers) for headers in hosts]  # whoever has a picture's address may show it
    for path in ("/packs", "/nowhere"):
        foreign += [(path, headers) for headers in (*hosts, *({"Origin": origin} for origin in origins))]
    for path, headers in foreign:
        reply = api.get(path, headers=headers)
        assert (reply.status_code, list(reply.json())) == (403, ["error"]), (path, headers)


def test_its_own_hosts_are_accepted_and_no_cors_header_is_sent(api: Api) -> None:
    port = api.sandbox.url.rpartition(":")[2]
    for host in (f"localhost:{port}", f"[::1]:{port}"):
        reply = api.get("/packs", headers={"Host": host, "Origin": api.sandbox.url})
        assert reply.status_code == 200
        assert not [name for name in reply.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nope"), ("GET", "/"), ("DELETE", "/packs"), ("OPTIONS", "/packs")]
)
def test_an_unknown_route_is_not_found(api: Api, method: str, path: str) -> None:
    reply = api.request(method, path)
    assert (reply.status_code, reply.json()) == (404, {"status": 404, "error": "Not Found"})


def test_an_internal_error_has_the_documented_shape(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("astria_nb.sandbox.views._packs.PackViews.user", lambda *_: 1 / 0)
    reply = api.get("/users")
    assert (reply.status_code, reply.json()) == (500, {"status": 500, "error": "Internal Server Error"})


@pytest.mark.parametrize("host", ["", "example.invalid"])
def test_only_an_address_opens_it_to_other_machines(host: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        SandboxServer(host=host)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("speed", 0),
        ("port", 70000),
        ("price_shape", "2023"),
        *(("api_key", key) for key in (" ", "sd_x", "mine_too", "sd_two words", "sd_clé_ici")),
        *(("allowed_origins", (text,)) for text in ("example.com", "https://example.com/", "*", "null")),
        *(("allowed_hosts", (text,)) for text in ("http://box:8000", "box:8000/", "*", "::1", "")),
    ],
)
def test_an_option_is_checked(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        SandboxServer(**{name: value})
