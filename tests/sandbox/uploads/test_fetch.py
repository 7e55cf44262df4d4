"""Downloading what a client named, and refusing what lies in somebody's own network."""

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

import pytest

from astria_nb.sandbox import SandboxServer
from astria_nb.sandbox.uploads.fetch import FetchError, fetch
from astria_nb.sandbox.uploads.public_address import is_public
from astria_nb.sandbox.uploads.spool import Spool, Upload
from sandbox.helpers.api import Api

PHOTO = b"\xff\xd8\xffa photo" * 1000


class Site(ThreadingHTTPServer):
    """A web site; what it answers is decided by the path."""

    daemon_threads = True

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((host, port), _Page)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.left = threading.Event()
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
        self.server.asked.append((self.path, dict(self.headers)))
        kind, _, rest = self.path.lstrip("/").partition("/")
        page = getattr(self, f"page_{kind}", None)
        if page:
            page(rest)
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

    def page_to(self, rest: str) -> None:
        self.answer(status=302, Location=rest)

    def page_hops(self, rest: str) -> None:
        left = int(rest)
        self.answer(status=307, Location=f"/hops/{left - 1}" if left > 1 else "/1.jpg")

    def page_status(self, rest: str) -> None:
        self.answer(b"the inner page", int(rest))

    def page_gzip(self, rest: str) -> None:
        self.answer(PHOTO, Content_Encoding="gzip")

    def page_nested(self, rest: str) -> None:
        self.answer(PHOTO, Transfer_Encoding="gzip, chunked", Content_Length="")

    def page_chunks(self, rest: str) -> None:
        self.answer(Transfer_Encoding="chunked", Content_Length="")
        for _ in range(int(rest)):
            self.wfile.write(b"400\r\n" + b"x" * 0x400 + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def page_endless(self, rest: str) -> None:
        self.close_connection = True
        self.answer(Content_Length="")
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write(bytes(65536))
        self.server.left.set()

    def page_short(self, rest: str) -> None:
        self.close_connection = True
        self.answer(PHOTO[:-1], Content_Length=str(len(PHOTO)))

    def page_hang(self, rest: str) -> None:
        self.server.entered.set()
        self.rfile.read(1)
        self.server.left.set()

    def page_drip(self, rest: str) -> None:
        """Send a byte now and then: of the body, or of the headers."""
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"X: " if rest == "headers" else b"\r\n"))
        self.server.entered.set()
        with contextlib.suppress(OSError):
            while not self.server.left.wait(0.02):
                self.wfile.write(b"x")

    def log_message(self, *args: object) -> None:
        pass


@contextlib.contextmanager
def serving(site: Site) -> Iterator[Site]:
    with site:
        thread = threading.Thread(target=site.serve_forever, args=(0.02,))
        thread.start()
        yield site
        site.left.set()
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
    """Fetches, by default from the site of this test, which is allowed; what fails leaves no file."""

    def get(url: str, **options: object) -> Upload:
        options = {"allowed_hosts": [site.netloc], "timeout": 10, **options}
        before = set((tmp_path / "spool").iterdir())
        try:
            return fetch(site.url(url) if url.startswith("/") else url, spool=spool, **options)  # type: ignore[arg-type]
        except FetchError:
            assert set((tmp_path / "spool").iterdir()) == before
            raise

    threads = set(threading.enumerate())
    yield get
    assert {one for one in threading.enumerate() if "resolver" in one.name} <= threads


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, list[list[str]]]]:
    """Name → the addresses that each look-up of it finds; the last ones stay."""
    known: dict[str, list[list[str]]] = {}
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *args: object, **kwargs: object) -> list[object]:
        if host not in known:
            return real(host, port, *args, **kwargs)  # type: ignore[arg-type,return-value]
        found = known[host].pop(0) if len(known[host]) > 1 else known[host][0]
        return [entry for ip in found for entry in real(ip, port, type=socket.SOCK_STREAM)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


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


def test_it_asks_plainly_and_tells_nothing_of_itself(
    get: Get, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    get("/a/1.jpg?size=3#top")
    assert site.asked == [
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
def test_a_url_that_is_none_is_refused(get: Get, url: str, reason: str) -> None:
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
def test_an_address_that_is_not_public_is_refused_however_it_is_written(
    get: Get, site: Site, host: str
) -> None:
    port = site.server_address[1]
    # A spelling that this machine's resolver does not read is no address at all.
    assert why(get, f"http://{host}:{port}/", allowed_hosts=[]) in (
        "its host is not public",
        "its host is not known",
    )
    assert site.asked == []


@pytest.mark.parametrize("address", ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "2a00:1450:4001::200e"])
def test_a_public_address_is_known_as_one(address: str) -> None:
    assert is_public(address)


def test_one_private_address_among_public_ones_is_enough_to_refuse(
    get: Get, site: Site, names: dict[str, list[list[str]]]
) -> None:
    names["photos.test"] = [["93.184.215.14", "127.0.0.1"]]
    assert why(get, f"http://photos.test:{site.server_address[1]}/") == "its host is not public"
    assert site.asked == []


def test_a_host_is_allowed_by_name_and_port_together(get: Get, site: Site) -> None:
    port = site.server_address[1]
    assert get(f"http://LocalHost:{port}/", allowed_hosts=[f"localhost:{port}"]).size
    for allowed in ("localhost", f"localhost:{port + 1}", f"127.0.0.1:{port}", f"x.localhost:{port}", "*"):
        assert why(get, f"http://localhost:{port}/", allowed_hosts=[allowed]) == "its host is not public"


def test_the_connection_goes_to_the_address_that_was_checked(
    get: Get, site: Site, names: dict[str, list[list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is public when it is checked, and private when it is asked for again."""
    try:
        public = Site("127.0.0.2", site.server_address[1])
    except OSError:
        pytest.skip("this machine has one loopback address only")
    monkeypatch.setattr("astria_nb.sandbox.uploads.fetch.is_public", lambda address: address == "127.0.0.2")
    names["rebound.test"] = [["127.0.0.2"], ["127.0.0.1"]]
    with serving(public):
        url = f"http://rebound.test:{site.server_address[1]}/1.jpg"
        assert get(url, allowed_hosts=[]).size == len(PHOTO)
        assert [headers["Host"] for _, headers in public.asked] == [f"rebound.test:{site.server_address[1]}"]
        assert why(get, url, allowed_hosts=[]) == "its host is not public"
    assert site.asked == []


def test_the_next_address_is_tried_when_one_does_not_answer(
    get: Get, site: Site, names: dict[str, list[list[str]]]
) -> None:
    port = site.server_address[1]
    names["two.test"] = [["::1", "127.0.0.1"]]
    assert get(f"http://two.test:{port}/", allowed_hosts=[f"two.test:{port}"]).size == len(PHOTO)


def test_three_redirects_are_followed_and_no_fourth(get: Get, site: Site) -> None:
    assert get("/hops/3").filename == "3"
    assert len(site.asked) == 4
    assert why(get, "/hops/4") == "it redirects too often"
    assert len(site.asked) == 8


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://127.0.0.1:1/", "its host is not public"),
        ("//169.254.169.254/latest/meta-data", "its host is not public"),
        ("file:///etc/passwd", "it is not an http or https URL"),
        ("http://a:b@127.0.0.1/", "it holds a user or password"),
        ("http://[broken/", "it redirects to no valid URL"),
    ],
)
def test_a_redirect_is_checked_like_a_url_that_was_named(get: Get, location: str, reason: str) -> None:
    assert why(get, f"/to/{location}") == reason


@pytest.mark.parametrize("status", [204, 206, 304, 401, 404, 500])
def test_any_other_answer_is_none(get: Get, status: int) -> None:
    assert why(get, f"/status/{status}") == f"the server answered {status}"


def test_a_file_is_read_up_to_the_limit_and_not_beyond(get: Get, site: Site) -> None:
    assert get("/1.jpg", max_bytes=len(PHOTO)).size == len(PHOTO)
    assert why(get, "/1.jpg", max_bytes=len(PHOTO) - 1) == f"it is longer than {len(PHOTO) - 1} bytes"
    assert why(get, "/chunks/5", max_bytes=5000) == "it is longer than 5000 bytes"
    assert why(get, "/endless", max_bytes=1_000_000) == "it is longer than 1000000 bytes"
    assert site.left.wait(5)


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
def test_a_server_that_does_not_come_to_an_end_is_cut(get: Get, path: str) -> None:
    assert why(get, path, timeout=0.5) == "it took too long"


@pytest.mark.parametrize("path", ["/hang", "/drip/body", "/drip/headers"])
def test_a_stop_breaks_it_off(get: Get, site: Site, path: str) -> None:
    stopped = threading.Event()

    def stop() -> None:
        site.entered.wait(10)
        stopped.set()

    threading.Thread(target=stop).start()
    assert why(get, path, timeout=600, stopped=stopped) == "the sandbox was stopped"


def test_a_resolver_that_hangs_is_not_waited_for(get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(20) and [])
    try:
        assert why(get, "http://slow.test/1.jpg", timeout=0.3) == "it took too long"
    finally:
        release.set()
        for thread in threading.enumerate():
            if "resolver" in thread.name:
                thread.join(5)


def test_a_failure_tells_nothing_of_where_it_went(get: Get) -> None:
    with socket.socket() as bound:  # not listening: refuses
        bound.bind(("127.0.0.1", 0))
        netloc = f"127.0.0.1:{bound.getsockname()[1]}"
        assert why(get, f"http://{netloc}/", allowed_hosts=[netloc]) == "the connection failed"
    assert why(get, "http://nowhere.invalid/1.jpg") == "its host is not known"
    assert why(get, f"http://{'x' * 70}.test/") == "its host is not known"


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
        assert why(get, f"http://{netloc}/", allowed_hosts=[netloc]) == "the connection failed"
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


def test_a_server_has_to_prove_the_name_that_was_asked_for(
    get: Get,
    secure_site: Site,
    certificate: Path,
    names: dict[str, list[list[str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names["photos.test"] = names["other.test"] = [["127.0.0.1"]]
    port = secure_site.server_address[1]
    allowed = [f"photos.test:{port}", f"other.test:{port}"]
    untrusted = "the server cannot be trusted: no valid certificate for its name"
    assert why(get, f"https://photos.test:{port}/", allowed_hosts=allowed) == untrusted
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert get(f"https://photos.test:{port}/1.jpg", allowed_hosts=allowed).size == len(PHOTO)
    assert why(get, f"https://other.test:{port}/1.jpg", allowed_hosts=allowed) == untrusted


@pytest.mark.parametrize("path", ["/hang", "/drip/body"])
def test_a_secure_server_is_cut_as_well(
    get: Get,
    secure_site: Site,
    certificate: Path,
    names: dict[str, list[list[str]]],
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    names["photos.test"] = [["127.0.0.1"]]
    netloc = f"photos.test:{secure_site.server_address[1]}"
    assert why(get, f"https://{netloc}{path}", allowed_hosts=[netloc], timeout=0.5) == "it took too long"


def test_a_handshake_that_hangs_is_cut(get: Get) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # takes the connection and says nothing
        netloc = f"127.0.0.1:{server.getsockname()[1]}"
        assert why(get, f"https://{netloc}/", allowed_hosts=[netloc], timeout=0.3) == "it took too long"


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
        with SandboxServer(fetch_urls=True) as sandbox, Api(sandbox) as api:
            refused = api.train(image_urls=urls)
            assert (refused.status_code, list(refused.json())) == (422, ["image_urls"])
            assert "could not download" in refused.json()["image_urls"][0]
        with SandboxServer(fetch_urls=True, fetch_hosts=(host,)) as sandbox, Api(sandbox) as api:
            (stored,) = api.train(image_urls=urls).json()["orig_images"]
            assert api.get(stored).content == jpeg
            for name in ("2.txt", "3.jpg"):
                assert api.train(image_urls=[f"http://{host}/{name}"]).json().keys() == {"image_urls"}
            said = api.post("/images/inspect", data={"name": "man", "file_url": urls[0]}).json()
            assert said["low_resolution"] is True  # it was looked at: 64 pixels
            missing = {"name": "man", "file_url": f"http://{host}/3.jpg"}
            assert api.post("/images/inspect", data=missing).json().keys() == {"file_url"}
            assert len(api.get("/tunes").json()) == 1
        server.shutdown()
