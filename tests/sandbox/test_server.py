"""Starting, serving, stopping."""

import contextlib
import http.client
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
import requests

from astria_nb.sandbox import SandboxServer
from helpers.waiting import PATIENCE, until
from sandbox.callbacks.test_callbacks import Receiver
from sandbox.helpers.api import Api


def test_callbacks_have_the_addresses_of_the_host_that_was_asked() -> None:
    with Receiver() as receiver, SandboxServer(deterministic=True, callback_fields="full") as sandbox:
        threading.Thread(target=receiver.serve_forever, args=(0.02,), daemon=True).start()
        fields = {"title": "t", "name": "man", "image_urls": ["https://example.com/1.jpg"]}
        with Api(sandbox) as api:
            for number, url in enumerate((sandbox.url, sandbox.url.replace("127.0.0.1", "localhost"))):
                tune = fields | {"title": str(number), "callback": receiver.url(f"/{number}")}
                api.post(f"{url}/p/43/tunes", json={"tune": tune}).raise_for_status()
        sandbox.advance(7200)
        until(lambda: len(sandbox.deliveries) == 2)
        receiver.shutdown()
        for number, host in enumerate(("127.0.0.1", "localhost")):
            (body,) = receiver.bodies(f"/{number}")
            assert body["tune"]["url"].startswith(f"http://{host}:")  # type: ignore[index]


def test_start_and_stop_may_be_called_twice() -> None:
    sandbox = SandboxServer()
    assert "not started" in repr(sandbox)
    assert sandbox.start() is sandbox.start()
    assert requests.get(sandbox.url + "/packs", timeout=PATIENCE).status_code == 401
    sandbox.stop()
    sandbox.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(sandbox.url, timeout=PATIENCE)
    with pytest.raises(RuntimeError, match="new one"):
        sandbox.start()


@pytest.fixture
def spools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where sandboxes make their private ones."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_it_leaves_no_thread_and_no_file(jpeg: bytes, spools: Path) -> None:
    threads = set(threading.enumerate())
    with SandboxServer() as sandbox, Api(sandbox) as api:
        form = {"tune[title]": "t", "tune[name]": "man"}
        assert api.post("/p/43/tunes", data=form, files={"tune[images][]": jpeg}).status_code == 201
        (upload,) = spools.glob("*/0*")
        assert upload.read_bytes() == jpeg
    assert set(threading.enumerate()) == threads
    assert list(spools.iterdir()) == []


def test_a_refused_upload_is_not_kept(jpeg: bytes, spools: Path) -> None:
    files = {"tune[images][]": jpeg}
    with SandboxServer() as sandbox, Api(sandbox) as api:
        assert api.post("/p/43/tunes", data={"tune[title]": ""}, files=files).status_code == 422
        assert api.post("/p/43/tunes", data={"tune": "1", "tune[a]": "2"}, files=files).status_code == 400
        assert list(spools.glob("*/0*")) == []


def test_stop_resets_an_upload_and_makes_nothing() -> None:
    sandbox = SandboxServer().start()
    failed: list[BaseException] = []

    def upload() -> None:
        head = b'--x\r\nContent-Disposition: form-data; name="tune[images][]"; filename="1.jpg"\r\n\r\n'

        def body():  # type: ignore[no-untyped-def]
            yield head
            while True:
                yield b"x" * 65536

        headers = {
            "Authorization": f"Bearer {sandbox.api_key}",
            "Content-Type": "multipart/form-data; boundary=x",
        }
        try:
            requests.post(f"{sandbox.url}/p/43/tunes", data=body(), headers=headers, timeout=PATIENCE)
        except requests.ConnectionError as error:
            failed.append(error)

    client = threading.Thread(target=upload)
    client.start()
    until(lambda: sandbox.ledger and sandbox.ledger[0].body_bytes)
    sandbox.stop()  # the body has no end to wait for
    client.join(PATIENCE)
    assert not client.is_alive()
    assert len(failed) == 1
    assert sandbox.received() == []


def test_stop_hangs_up_on_idle_connections(sandbox: SandboxServer) -> None:
    host, _, port = sandbox.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as idle:
        idle.settimeout(PATIENCE)
        time.sleep(0.1)
        sandbox.stop()
        with contextlib.suppress(ConnectionResetError):
            assert idle.recv(1) == b""


def test_a_connection_is_kept(sandbox: SandboxServer) -> None:
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=PATIENCE)
    headers = {"Authorization": f"Bearer {sandbox.api_key}", "Content-Type": "application/json"}
    ports = set()
    for body in ('{"tune": {}}', "{", ""):
        connection.request("POST", "/p/43/tunes", body, headers)
        response = connection.getresponse()
        assert (response.status, "error" in json.loads(response.read())) == (400, True)
        ports.add(connection.sock.getsockname()[1])
    connection.close()
    assert len(ports) == 1


def test_a_long_upload_with_a_wrong_key_can_read_the_refusal(sandbox: SandboxServer) -> None:
    files = {"tune[images][]": b"x" * 20_000_000}
    reply = requests.post(f"{sandbox.url}/p/43/tunes", files=files, timeout=PATIENCE)
    assert reply.status_code == 401


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_learns_of_a_wrong_key_before_it_uploads(sandbox: SandboxServer, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 5_000_000)
    command = [
        "curl",
        "-sS",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code} %{size_upload}",
        "-H",
        "Expect: 100-continue",
    ]
    command += ["-F", f"tune[images][]=@{tmp_path}/big", f"{sandbox.url}/p/43/tunes"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout == "401 0"


def test_a_request_that_is_not_http_is_refused(sandbox: SandboxServer) -> None:
    host, _, port = sandbox.url.removeprefix("http://").partition(":")
    for request in (
        b"hello\r\n\r\n",
        b"BREW /p HTTP/1.1\r\n\r\n",
        b"POST /p HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ):
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as raw:
            raw.sendall(request)
            reply = raw.makefile("rb").read()
        assert reply.split(b" ", 2)[1][:1] in (b"4", b"5"), reply
        assert isinstance(json.loads(reply.partition(b"\r\n\r\n")[2])["error"], str)


def test_the_repr_hides_the_key(sandbox: SandboxServer) -> None:
    assert (
        repr(sandbox) == f"SandboxServer(url='{sandbox.url}', api_key='sd_…{sandbox.api_key[-4:]}', running)"
    )


def test_importing_it_is_light() -> None:
    code = (
        "import sys, astria_nb.sandbox; print([m for m in ('flask', 'werkzeug', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
