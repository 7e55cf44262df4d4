"""Downloading the images that a client named, from the hosts that the sandbox's owner named."""

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest
import requests

from astria_nb.sandbox import SandboxServer
from astria_nb.sandbox.uploads import Spool, Upload
from astria_nb.sandbox.uploads.fetch import FetchError, fetch
from helpers.waiting import PATIENCE
from sandbox.helpers.api import Api

PHOTO = b"\xff\xd8\xffa photo" * 1000
NOT_NAMED = "the sandbox does not download from its host (see fetch_urls)"


class Site(ThreadingHTTPServer):
    """A web site; what it answers is decided by the path."""

    daemon_threads = True

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((host, port), _Page)
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.client_left = threading.Event()
        self.entered = threading.Event()
        self.netloc = f"{host}:{self.server_address[1]}"

    def url(self, path: str = "/1.jpg") -> str:
        return f"http://{self.netloc}{path}"

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a client that hangs up is what these tests are about


class _Page(BaseHTTPRequestHandler):
    server: Site
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.requests.append((self.path, dict(self.headers)))
        kind, _, argument = self.path.lstrip("/").partition("/")
        page = getattr(self, f"page_{kind}", None)
        if page:
            page(argument)
        else:
            self.answer(PHOTO)

    def answer(self, body: bytes = b"", status: int = 200, **headers: str) -> None:
        self.send_response(status)
        headers.setdefault("Content_Length", str(len(body)))
        for name, value in headers.items():
            if value:
                self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def page_to(self, argument: str) -> None:
        self.answer(status=302, Location=unquote(argument))

    def page_hops(self, argument: str) -> None:
        hops = int(argument)
        self.answer(status=307, Location=f"/hops/{hops - 1}" if hops > 1 else "/1.jpg")

    def page_status(self, argument: str) -> None:
        self.answer(b"the inner page", int(argument))

    def page_gzip(self, argument: str) -> None:
        self.answer(PHOTO, Content_Encoding="gzip")

    def page_nested(self, argument: str) -> None:
        self.answer(PHOTO, Transfer_Encoding="gzip, chunked", Content_Length="")

    def page_chunks(self, argument: str) -> None:
        self.answer(Transfer_Encoding="chunked", Content_Length="")
        for _ in range(int(argument)):
            self.wfile.write(b"400\r\n" + b"x" * 0x400 + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def page_endless(self, argument: str) -> None:
        self.close_connection = True
        self.answer(Content_Length="")
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write(bytes(65536))
        self.server.client_left.set()

    def page_short(self, argument: str) -> None:
        self.close_connection = True
        self.answer(PHOTO[:-1], Content_Length=str(len(PHOTO)))

    def page_hang(self, argument: str) -> None:
        self.server.entered.set()
        self.rfile.read(1)
        self.server.client_left.set()

    def page_drip(self, argument: str) -> None:
        """Send a byte now and then: of the body, or of the headers."""
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"X: " if argument == "headers" else b"\r\n"))
        self.server.entered.set()
        with contextlib.suppress(OSError):
            while not self.server.client_left.wait(0.02):
                self.wfile.write(b"x")

    def log_message(self, *args: object) -> None:
        pass


@contextlib.contextmanager
def serving(site: Site) -> Iterator[Site]:
    with site:
        thread = threading.Thread(target=site.serve_forever, args=(0.02,))
        thread.start()
        yield site
        site.client_left.set()
        site.shutdown()
        thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site()) as running:
        yield running


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "spool")
    yield spool
    spool.close()


Get = Callable[..., Upload]


@pytest.fixture
def get(spool: Spool, site: Site, tmp_path: Path) -> Iterator[Get]:
    """Fetch, by default from the site of this test, which is named; what fails leaves no file or thread."""

    def get(url: str, **options: object) -> Upload:
        options = {"hosts": [site.netloc], "timeout": 10, **options}
        before = set((tmp_path / "spool").iterdir())
        try:
            return fetch(site.url(url) if url.startswith("/") else url, spool=spool, **options)  # type: ignore[arg-type]
        except FetchError:
            assert set((tmp_path / "spool").iterdir()) == before
            raise

    threads = set(threading.enumerate())
    yield get
    assert {thread for thread in threading.enumerate() if "download" in thread.name} <= threads


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Name → the addresses that it resolves to."""
    addresses: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *args: object, **kwargs: object) -> list[object]:
        if host not in addresses:
            return real(host, port, *args, **kwargs)  # type: ignore[arg-type,return-value]
        return [entry for ip in addresses[host] for entry in real(ip, port, type=socket.SOCK_STREAM)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return addresses


def why(get: Get, url: str, **options: object) -> str:
    with pytest.raises(FetchError) as error:
        get(url, **options)
    return str(error.value)


def test_a_file_is_kept_under_the_name_that_the_url_gives_it(get: Get) -> None:
    upload = get("/a/my%20photo.jpeg?size=3#top")
    assert (upload.filename, upload.content_type, upload.size) == ("my photo.jpeg", "image/jpeg", len(PHOTO))
    assert upload.path.read_bytes() == PHOTO
    assert get("/").filename == "image"
    assert get("/chunks/5").size == 5 * 1024


def test_it_sends_plain_headers_and_uses_nothing_of_the_environment(
    get: Get, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    (tmp_path / "netrc").write_text("default login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    get("/a/1.jpg?size=3#top")
    assert site.requests == [
        (
            "/a/1.jpg?size=3",
            {
                "Host": site.netloc,
                "Accept": "image/*",
                "Accept-Encoding": "identity",
                "User-Agent": "astria-nb-sandbox",
            },
        )
    ]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.com/1.jpg", "it is not an http or https URL"),
        ("file:///etc/passwd", "it is not an http or https URL"),
        ("1.jpg", "it is not an http or https URL"),
        ("http://me:secret@example.com/1.jpg", "it holds a user or password"),
        ("http://example.com\\@127.0.0.1/1.jpg", "it holds a user or password"),
        ("http://127.0.0.1\\.example.com/1.jpg", "it is not a valid URL"),
        ("http://example.com/a photo.jpg", "it is not a valid URL"),
        ("http://example.com/\r\nX: y", "it is not a valid URL"),
        ("http://exämple.com/1.jpg", "it is not a valid URL"),
        ("http://\uff11\uff12\uff17.0.0.1/1.jpg", "it is not a valid URL"),
        ("http://127.0.0.1%2f.example.com/1.jpg", "it is not a valid URL"),
        ("http://[fe80::1%25eth0]/1.jpg", "it is not a valid URL"),
        ("http://[broken/1.jpg", "it is not a valid URL"),
        ("http://example.com:99999/", "it is not a valid URL"),
        ("http://example.com:0/", "it is not a valid URL"),
        ("http:///1.jpg", "it is not a valid URL"),
        ("http://example.com/" + "x" * 5000, "it is not a valid URL"),
    ],
)
def test_an_invalid_url_is_refused(get: Get, url: str, reason: str) -> None:
    assert why(get, url) == reason


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1"),
        *("169.254.169.254", "2852039166", "0xA9FEA9FE", "0251.0376.0251.0376", "169.254.43518"),
        *("0.0.0.0", "0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "224.0.0.1", "240.0.0.1"),
        *("255.255.255.255", "198.18.0.1", "192.0.2.1", "localhost", "LOCALHOST", "localhost."),
        *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:93.184.215.14]", "[::127.0.0.1]", "[fe80::1]"),
        *("[fc00::1]", "[fec0::1]", "[ff0e::1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::a00:1]"),
        *("[2002:7f00:1::]", "[2001::1]", "[2001:db8::1]", "[100::1]", "[5f00::1]", "[3fff::1]"),
    ],
)
def test_a_host_that_was_not_named_is_refused_however_it_is_written(get: Get, site: Site, host: str) -> None:
    port = site.server_address[1]
    assert why(get, f"http://{host}:{port}/", hosts=["example.com", "8.8.8.8"]) == NOT_NAMED
    assert why(get, f"http://{host}:{port}/", hosts=[]) == NOT_NAMED
    assert site.requests == []


@pytest.mark.parametrize("host", ["93.184.215.14", "1.1.1.1", "[2606:4700::1111]", "example.com"])
def test_a_public_host_has_to_be_named_as_well(get: Get, host: str) -> None:
    assert why(get, f"http://{host}/1.jpg", hosts=["127.0.0.1"]) == NOT_NAMED


def test_a_host_is_named_together_with_its_port(get: Get, site: Site) -> None:
    port = site.server_address[1]
    assert get(f"http://LocalHost:{port}/", hosts=[f"localhost:{port}"]).size
    assert get(f"http://localhost:{port}/", hosts=[f"LOCALHOST:{port}"]).size
    for host in ("localhost", f"localhost:{port + 1}", f"127.0.0.1:{port}", f"x.localhost:{port}", "*"):
        assert why(get, f"http://localhost:{port}/", hosts=[host]) == NOT_NAMED


@pytest.mark.parametrize(
    ("url", "hosts", "is_named"),
    [
        ("http://127.0.0.1/", ["127.0.0.1"], True),
        ("http://127.0.0.1:80/", ["127.0.0.1"], True),
        ("http://127.0.0.1/", ["127.0.0.1:80"], True),
        ("https://127.0.0.1/", ["127.0.0.1"], True),
        ("https://127.0.0.1:443/", ["127.0.0.1"], True),
        ("http://127.0.0.1:443/", ["127.0.0.1"], False),
        ("https://127.0.0.1:80/", ["127.0.0.1"], False),
        ("https://127.0.0.1/", ["127.0.0.1:80"], False),
        ("http://[::1]/", ["[::1]"], True),
        ("http://[::1]:80/", ["::1"], False),
    ],
)
def test_without_a_port_the_default_one_of_the_scheme_is_meant(
    get: Get, monkeypatch: pytest.MonkeyPatch, url: str, hosts: list[str], is_named: bool
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise requests.ConnectionError

    monkeypatch.setattr(requests.Session, "get", refuse)
    assert why(get, url, hosts=hosts) == ("the connection failed" if is_named else NOT_NAMED)


def test_the_next_address_is_tried_when_one_does_not_answer(
    get: Get, site: Site, names: dict[str, list[str]]
) -> None:
    port = site.server_address[1]
    names["two.test"] = ["::1", "127.0.0.1"]
    assert get(f"http://two.test:{port}/", hosts=[f"two.test:{port}"]).size == len(PHOTO)


def test_three_redirects_are_followed_and_no_fourth(get: Get, site: Site) -> None:
    assert get("/hops/3").filename == "3"
    assert len(site.requests) == 4
    assert why(get, "/hops/4") == "it redirects too often"
    assert len(site.requests) == 8


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://127.0.0.1:1/", NOT_NAMED),
        ("//169.254.169.254/latest/meta-data", NOT_NAMED),
        ("file:///etc/passwd", "it is not an http or https URL"),
        ("http://a:b@127.0.0.1/", "it holds a user or password"),
        ("http://[broken/", "it redirects to an invalid URL"),
    ],
)
def test_a_redirect_is_checked_like_a_url_that_was_named(get: Get, location: str, reason: str) -> None:
    assert why(get, f"/to/{location}") == reason


@pytest.mark.parametrize("status", [204, 206, 304, 401, 404, 500])
def test_an_answer_of_any_other_status_is_refused(get: Get, status: int) -> None:
    assert why(get, f"/status/{status}") == f"the server answered {status}"


def test_a_file_is_read_up_to_the_limit_and_not_beyond(get: Get, site: Site) -> None:
    assert get("/1.jpg", max_bytes=len(PHOTO)).size == len(PHOTO)
    assert why(get, "/1.jpg", max_bytes=len(PHOTO) - 1) == f"it is longer than {len(PHOTO) - 1} bytes"
    assert why(get, "/chunks/5", max_bytes=5000) == "it is longer than 5000 bytes"
    assert why(get, "/endless", max_bytes=1_000_000) == "it is longer than 1000000 bytes"
    assert site.client_left.wait(PATIENCE)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/gzip", "the server sent it compressed"),
        ("/nested", "the server sent it in an unknown encoding"),
        ("/short", "the connection broke off"),
    ],
)
def test_what_is_not_the_file_itself_is_refused(get: Get, path: str, reason: str) -> None:
    assert why(get, path) == reason


@pytest.mark.parametrize("path", ["/hang", "/drip/body", "/drip/headers"])
def test_a_server_that_never_finishes_is_cut_off(get: Get, path: str) -> None:
    assert why(get, path, timeout=0.5) == "it took too long"


@pytest.mark.parametrize("path", ["/hang", "/drip/body", "/drip/headers"])
def test_stop_breaks_off_a_download(get: Get, site: Site, path: str) -> None:
    stopped = threading.Event()

    def stop() -> None:
        site.entered.wait(PATIENCE)
        stopped.set()

    threading.Thread(target=stop).start()
    assert why(get, path, timeout=600, stopped=stopped) == "the sandbox was stopped"


def test_a_resolver_that_hangs_is_not_waited_for(get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(PATIENCE) and [])
    try:
        assert why(get, "http://slow.test/1.jpg", hosts=["slow.test"], timeout=0.3) == "it took too long"
    finally:
        release.set()
        for thread in threading.enumerate():
            if "download" in thread.name:
                thread.join(PATIENCE)


def test_a_failure_does_not_reveal_where_it_went(get: Get) -> None:
    with socket.socket() as bound:  # not listening: refuses
        bound.bind(("127.0.0.1", 0))
        netloc = f"127.0.0.1:{bound.getsockname()[1]}"
        assert why(get, f"http://{netloc}/", hosts=[netloc]) == "the connection failed"
    assert why(get, "http://nowhere.invalid/1.jpg", hosts=["nowhere.invalid"]) == "its host is not known"
    too_long = f"{'x' * 70}.test"
    assert why(get, f"http://{too_long}/", hosts=[too_long]) == "its host is not known"


def test_what_is_not_http_is_refused(get: Get) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"SSH-2.0-inner\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        netloc = f"127.0.0.1:{server.getsockname()[1]}"
        assert why(get, f"http://{netloc}/", hosts=[netloc]) == "the connection failed"
        thread.join()


def test_a_full_disk_is_not_the_servers_fault(get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "touch", no_space)
    with pytest.raises(OSError, match="No space"):
        get("/1.jpg")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of `photos.test` that nobody but this test trusts."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    pem = tmp_path / "photos.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += ["-nodes", "-keyout", str(pem), "-out", str(tmp_path / "crt"), "-days", "2"]
    command += ["-subj", "/CN=photos.test", "-addext", "subjectAltName=DNS:photos.test"]
    subprocess.run(command, check=True, capture_output=True)
    pem.write_bytes(pem.read_bytes() + (tmp_path / "crt").read_bytes())
    return pem


@pytest.fixture
def secure_site(site: Site, certificate: Path) -> Site:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    site.socket = context.wrap_socket(site.socket, server_side=True, do_handshake_on_connect=False)
    return site


def trust(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have requests trust a certificate instead of the public ones."""
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(certificate))
    # Up to 2.32.4, requests loads them when it is imported.
    context = ssl.create_default_context(cafile=certificate)
    monkeypatch.setattr(requests.adapters, "_preloaded_ssl_context", context, raising=False)


def test_a_server_has_to_prove_the_name_that_was_asked_for(
    get: Get,
    secure_site: Site,
    certificate: Path,
    names: dict[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names["photos.test"] = names["other.test"] = ["127.0.0.1"]
    port = secure_site.server_address[1]
    hosts = [f"photos.test:{port}", f"other.test:{port}"]
    untrusted = "the server cannot be trusted: no valid certificate for its name"
    assert why(get, f"https://photos.test:{port}/", hosts=hosts) == untrusted
    trust(certificate, monkeypatch)
    assert get(f"https://photos.test:{port}/1.jpg", hosts=hosts).size == len(PHOTO)
    assert why(get, f"https://other.test:{port}/1.jpg", hosts=hosts) == untrusted


@pytest.mark.parametrize("path", ["/hang", "/drip/body"])
def test_a_secure_server_is_cut_as_well(
    get: Get,
    secure_site: Site,
    certificate: Path,
    names: dict[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    trust(certificate, monkeypatch)
    names["photos.test"] = ["127.0.0.1"]
    netloc = f"photos.test:{secure_site.server_address[1]}"
    assert why(get, f"https://{netloc}{path}", hosts=[netloc], timeout=0.5) == "it took too long"


def test_a_handshake_that_hangs_is_cut(get: Get) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # takes the connection and says nothing
        netloc = f"127.0.0.1:{server.getsockname()[1]}"
        assert why(get, f"https://{netloc}/", hosts=[netloc], timeout=0.3) == "it took too long"


def test_images_are_downloaded_on_request_and_not_otherwise(tmp_path: Path, jpeg: bytes) -> None:
    (tmp_path / "1.jpg").write_bytes(jpeg)
    (tmp_path / "2.txt").write_text("no image")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        host = f"127.0.0.1:{server.server_port}"
        urls = [f"http://{host}/1.jpg"]
        with SandboxServer() as sandbox, Api(sandbox) as api:
            assert api.train(image_urls=urls).json()["orig_images"] == urls
        with SandboxServer(fetch_urls=("example.com",)) as sandbox, Api(sandbox) as api:
            refused = api.train(image_urls=urls)
            assert (refused.status_code, list(refused.json())) == (422, ["image_urls"])
            assert "could not download" in refused.json()["image_urls"][0]
        with SandboxServer(fetch_urls=(host,)) as sandbox, Api(sandbox) as api:
            (stored,) = api.train(image_urls=urls).json()["orig_images"]
            assert api.get(stored).content == jpeg
            for name in ("2.txt", "3.jpg"):
                assert api.train(image_urls=[f"http://{host}/{name}"]).json().keys() == {"image_urls"}
            report = api.post("/images/inspect", data={"name": "man", "file_url": urls[0]}).json()
            assert report["low_resolution"] is True  # it was inspected: 64 pixels
            missing = {"name": "man", "file_url": f"http://{host}/3.jpg"}
            assert api.post("/images/inspect", data=missing).json().keys() == {"file_url"}
            assert len(api.get("/tunes").json()) == 1
        server.shutdown()


@pytest.mark.parametrize("host", ["http://example.com", "example.com/photos", "me@example.com", "a b", ""])
def test_an_option_that_does_not_name_a_host_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match=r"^fetch_urls: .* is not a host; give hosts such as 'example\.com'"):
        SandboxServer(fetch_urls=(host,))


def test_the_switch_of_an_earlier_release_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^fetch_urls: True is not of the right type; give a list"):
        SandboxServer(fetch_urls=True)
