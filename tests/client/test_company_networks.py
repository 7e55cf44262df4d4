"""Behind a company's network: proxies, private certificates, and what is expected when they do not fit."""

import socket
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from urllib3.exceptions import NewConnectionError

import astria_nb as anb
from astria_nb.client._network_errors import diagnose
from astria_nb.errors import AstriaError, NotSentError, OutcomeUnknownError, UnreachableError
from astria_nb.tune import encode
from helpers.certificate import self_signed
from helpers.proxy import Proxy
from helpers.scripted_server import KEY, PACK, TUNE, ScriptedServer, reply

SERVICE = "https://service.test"  # known to the proxy only
PROXIES = [f"{scheme}_proxy" for scheme in ("http", "https", "all", "no")]
BUNDLES = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"]
PASSWORD = "hunter2-of-the-proxy"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*PROXIES, *(name.upper() for name in PROXIES), *BUNDLES, "SSL_CERT_DIR"]:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[ScriptedServer]:
    """Return a service under https whose certificate only the file `bundle` vouches for."""
    context, certificate = self_signed(tmp_path, "service.test")
    with ScriptedServer(context).running() as running:
        running.bundle = str(certificate)  # type: ignore[attr-defined]
        running.on("GET", "/p/43", reply(PACK))
        running.on("GET", "/tunes/7", reply(TUNE))
        running.on("GET", "/1.jpg", reply(body=b"jpeg"))
        yield running


@pytest.fixture
def proxy(secure: ScriptedServer) -> Iterator[Proxy]:
    with Proxy().before(secure.url) as running:
        yield running


def a_tune() -> anb.Tune:
    return anb.Tune(pack=43, title="t", name="cat", image_urls=["https://e.com/1.jpg"])


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


DEAD = {
    "HTTP_PROXY": "http://127.0.0.1:{port}",
    "ALL_PROXY": "socks5h://127.0.0.1:{port}",
    "http_proxy": "nonsense://",
}


@pytest.mark.parametrize("name", DEAD)
def test_pictures_of_this_machine_go_through_no_proxy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://e.com/1.jpg"])
    with anb.Sandbox(speed=6000) as sandbox:
        monkeypatch.setenv(name, DEAD[name].format(port=closed_port()))
        client = sandbox.client()
        assert client.picture(client.packs(gallery=True)[0].cover_url or "")[:2] == b"\xff\xd8"
        row = anb.wait(anb.submit(tune, client), client, until="prompts", poll=0.05)
        pictures = anb.prompts(row, client)["images"].explode()
        assert len(client.picture(pictures.iloc[0])) > 100


def test_a_redirect_to_this_machine_leaves_the_proxy_and_its_password_behind(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.on("GET", "/there", reply(status=302, Location=f"{server.url}/here"))
    server.on("GET", "/here", reply(body=b"jpeg"))
    with Proxy().before(server.url) as proxy:
        proxy.login = f"me:{PASSWORD}"
        monkeypatch.setenv("HTTP_PROXY", f"http://me:{PASSWORD}@{proxy.netloc}")
        client = anb.Client(KEY, base_url=server.url)
        assert client.picture("http://pictures.test/there") == b"jpeg"
    assert proxy.targets == ["http://pictures.test/there"]
    (here,) = server.received("GET", "/here")
    assert here.headers["Proxy-Authorization"] is None


@pytest.mark.parametrize("name", BUNDLES)
def test_a_private_authority_is_trusted_for_the_service_and_its_pictures(
    secure: ScriptedServer, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.netloc}")
    monkeypatch.setenv(name, secure.bundle)  # type: ignore[attr-defined]
    client = anb.Client(KEY, base_url=SERVICE)
    assert client.tune(7) == TUNE
    assert client.picture(f"{SERVICE}/1.jpg") == b"jpeg"
    assert set(proxy.targets) == {"service.test:443"}
    local = anb.Client(KEY, base_url=secure.url)  # on this machine: without the proxy
    assert local.tune(7) == TUNE
    assert len(proxy.targets) == 2


def test_requests_own_variable_comes_first(
    secure: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", secure.bundle)  # type: ignore[attr-defined]
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    assert anb.Client(KEY, base_url=secure.url).tune(7) == TUNE


Setting = Callable[[Proxy, ScriptedServer, Path], dict[str, str]]
UNFIT: dict[str, tuple[Setting, str]] = {
    "no trust": (
        lambda proxy, *_: {"HTTPS_PROXY": proxy.netloc},
        r"certificate is not trusted: self.signed certificate\); set REQUESTS_CA_BUNDLE to your company's",
    ),
    "a bundle without the authority": (
        lambda proxy, _, folder: {"HTTPS_PROXY": proxy.netloc, "SSL_CERT_FILE": another_authority(folder)},
        r"is not trusted: .*; add your company's CA to the file that SSL_CERT_FILE names",
    ),
    "a missing bundle": (
        lambda proxy, *_: {"HTTPS_PROXY": proxy.netloc, "REQUESTS_CA_BUNDLE": "/none.pem"},
        r"REQUESTS_CA_BUNDLE names, '/none.pem', cannot be read: No such file.*; set REQUESTS_CA_BUNDLE",
    ),
    "a bundle that is none": (
        lambda proxy, _, folder: {"HTTPS_PROXY": proxy.netloc, "SSL_CERT_FILE": text_file(folder)},
        r"that SSL_CERT_FILE names, .* holds no certificates in PEM form\); set SSL_CERT_FILE to",
    ),
    "SOCKS without PySocks": (
        lambda *_: {"ALL_PROXY": f"socks5h://me:{PASSWORD}@127.0.0.1:9"},
        r"ALL_PROXY names a SOCKS proxy, and PySocks is not installed\); run pip install 'requests\[socks\]'",
    ),
    "a port that is none": (
        lambda *_: {"https_proxy": f"http://me:{PASSWORD}@proxy.test:99999"},
        r"what is set in https_proxy is not the address of a proxy\); write it like http://user:password@host",
    ),
    "a port of letters": (
        lambda *_: {"HTTPS_PROXY": "http://proxy.test:port"},
        "in HTTPS_PROXY is not the address",
    ),
    "no host": (lambda *_: {"HTTPS_PROXY": "http://"}, "in HTTPS_PROXY is not the address"),
    "another scheme": (
        lambda *_: {"HTTPS_PROXY": "htp://proxy.test:1"},
        "in HTTPS_PROXY is not the address",
    ),
    "a slash in the password": (
        lambda *_: {"HTTPS_PROXY": f"http://me:{PASSWORD}/@proxy.test:3128"},
        "in HTTPS_PROXY is not the address of a proxy.*with % codes for special characters in the password",
    ),
    "a proxy that wants a password": (
        lambda proxy, *_: {"HTTPS_PROXY": wanting(proxy)},
        r"the proxy requires a user and password\); set HTTPS_PROXY to http://user:password@host:port",
    ),
    "another password": (
        lambda proxy, *_: {"HTTPS_PROXY": f"http://me:{PASSWORD}@{wanting(proxy)}"},
        r"the proxy refused the user and password in HTTPS_PROXY\); correct them",
    ),
}


def another_authority(folder: Path) -> str:
    (folder / "other").mkdir(exist_ok=True)
    return str(self_signed(folder / "other")[1])


def text_file(folder: Path) -> str:
    (folder / "ca.pem").write_text("no certificate")
    return str(folder / "ca.pem")


def wanting(proxy: Proxy) -> str:
    proxy.login = "someone:else"
    return proxy.netloc


@pytest.mark.parametrize("case", UNFIT)
def test_an_unfit_setting_is_named_with_its_reason_and_not_tried_again(
    secure: ScriptedServer, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, case: str
) -> None:
    setting, expected = UNFIT[case]
    for name, value in setting(proxy, secure, tmp_path).items():
        monkeypatch.setenv(name, value)
    client = anb.Client(KEY, base_url=SERVICE)
    tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://e.com/1.jpg"])
    calls: list[Callable[[], Any]] = [lambda: client.tune(7), lambda: anb.submit(tune, client)]
    for call in calls:
        proxy.targets.clear()
        with pytest.raises(
            UnreachableError, match=rf"(?s)base_url: {SERVICE} cannot be reached \(.*{expected}"
        ) as caught:
            call()
        assert len(proxy.targets) <= 1  # not tried again
        assert_hidden(caught.value)
    with pytest.raises(UnreachableError, match=rf"(?s)1.jpg' cannot be fetched \(.*{expected}") as caught:
        client.picture(f"{SERVICE}/1.jpg")
    assert_hidden(caught.value)
    assert secure.requests == []


def assert_hidden(error: BaseException) -> None:
    """Assert that neither the key nor the proxy's password is shown, also not by the variables of a frame."""
    text = "".join(traceback.TracebackException.from_exception(error, capture_locals=False).format())
    assert KEY not in text
    assert PASSWORD not in text
    package = [
        repr(frame.f_locals)
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if "astria_nb" in frame.f_code.co_filename
    ]
    assert PASSWORD not in "".join(package)


def test_a_proxy_that_is_not_there_is_named_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    port = closed_port()
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{PASSWORD}@127.0.0.1:{port}")
    expected = rf"the proxy 127.0.0.1:{port} cannot be reached: Connection refused\); check HTTPS_PROXY and"
    with pytest.raises(NotSentError, match=expected) as caught:
        anb.Client(KEY, base_url=SERVICE).tune(7)
    assert not isinstance(caught.value, UnreachableError)
    assert_hidden(caught.value)


def test_a_proxy_that_refuses_is_quoted_by_its_status(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy.refusal = "403 \x1b[2J"
    monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.netloc}")
    with pytest.raises(
        NotSentError, match=r"the proxy answered with status 403\); check HTTPS_PROXY, or ask"
    ):
        anb.Client(KEY, base_url=SERVICE).tune(7)


def test_a_picture_under_http_says_that_the_proxy_wants_a_password(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, server: ScriptedServer
) -> None:
    monkeypatch.setenv("HTTP_PROXY", wanting(proxy))
    with pytest.raises(AstriaError, match=r"the proxy requires a user and password\); set HTTP_PROXY to"):
        anb.Client(KEY, base_url=server.url).picture("http://pictures.test/1.jpg")


@pytest.mark.parametrize(
    ("login", "expected"),
    [
        ("", r"the proxy requires a user and password\); set HTTP_PROXY to http://user:password@host:port"),
        (f"me:{PASSWORD}@", r"the proxy refused the user and password in HTTP_PROXY\); correct them"),
    ],
)
def test_a_sandbox_under_http_says_that_the_proxy_wants_a_password_and_is_not_asked_again(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, login: str, expected: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{login}{wanting(proxy)}")
    client = anb.Client("sd_sandbox_of_a_team", base_url="http://sandbox.test:8000")
    for ask in (lambda: client.tune(7), lambda: anb.submit(a_tune(), client)):
        with pytest.raises(UnreachableError, match=expected) as caught:
            ask()
        assert_hidden(caught.value)
    assert proxy.targets == [f"http://sandbox.test:8000{path}" for path in ("/tunes/7", "/p/43")]


def test_a_paid_request_that_meets_a_proxy_has_an_unknown_outcome(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{wanting(proxy)}")
    client = anb.Client("sd_sandbox_of_a_team", base_url="http://sandbox.test:8000")
    with encode(a_tune()) as body, pytest.raises(OutcomeUnknownError, match="the proxy requires a user and"):
        client.create_tune(43, body)


def test_a_socks_proxy_is_named_if_nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """As PySocks, which these tests do not have, lets urllib3 report it."""
    monkeypatch.setenv("ALL_PROXY", f"socks5h://me:{PASSWORD}@proxy.test:1080")
    refused = ConnectionRefusedError(111, "Connection refused")
    failure = NewConnectionError(None, "no connection")  # type: ignore[arg-type]
    failure.__cause__ = refused
    diagnosis = diagnose(requests.ConnectionError(failure), SERVICE)
    assert diagnosis.reason == "through the SOCKS proxy proxy.test:1080: Connection refused"
    assert diagnosis.hint.startswith("check ALL_PROXY")
    assert "proxy" not in diagnose(requests.ConnectionError(failure), "http://127.0.0.1:1").reason
