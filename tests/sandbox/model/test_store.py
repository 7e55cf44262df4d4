"""An account that outlives its sandbox."""

import signal
import sqlite3
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from astria_nb.sandbox import SandboxServer
from helpers.waiting import PATIENCE
from sandbox.helpers.api import Api


def story(api: Api) -> list[object]:
    """Return everything that a client sees, independent of the port."""
    paths = ("/tunes", "/prompts?limit=120", "/packs", "/p/43", "/users", "/gallery/tunes")
    return [api.get(path).text.replace(api.sandbox.url, "URL") for path in paths]


def test_everything_is_there_after_a_restart(tmp_path: Path, jpeg: bytes) -> None:
    options = {"data": tmp_path / "account", "speed": 1e6}
    with SandboxServer(**options) as first, Api(first) as api:
        form = {"tune[title]": "Zoë 🐈", "tune[name]": "man", "tune[characteristics][eye_color]": "blue eyes"}
        tune = api.post("/p/43/tunes", data=form, files={"tune[images][]": ("1.jpg", jpeg)}).json()
        api.post("/packs", json={"pack": {"title": "Mine"}})
        gone = api.train(title="gone").json()["id"]
        api.delete(f"/tunes/{gone}")
        prompt = api.get("/prompts").json()[-1]
        api.post(f"/prompts/{prompt['id']}/likes")
        api.patch(f"/tunes/{tune['id']}", json={"tune": {"title": "renamed"}})
        first.advance(60)  # let every picture be done
        before = story(api)
        picture = api.get(prompt["images"][0]).content
        original = api.get(api.get(f"/tunes/{tune['id']}").json()["orig_images"][0]).content
    with SandboxServer(**options) as again, Api(again) as api:
        assert story(api) == before
        moved = prompt["images"][0].replace(first.url, again.url)
        assert api.get(moved).content == picture
        assert api.get(api.get(f"/tunes/{tune['id']}").json()["orig_images"][0]).content == original == jpeg
        later = api.train(title="later").json()["id"]
        assert later > gone  # no number is given twice


def test_pictures_are_found_before_anything_is_listed(tmp_path: Path) -> None:
    with SandboxServer(data=tmp_path, speed=1e6) as first, Api(first) as api:
        api.train(prompt_ids=[43001])
        first.advance(60)
        (url,) = api.get("/prompts").json()[0]["images"]
    with SandboxServer(data=tmp_path, speed=1e6) as again, Api(again) as api:
        assert api.get(url.replace(first.url, again.url)).status_code == 200


def test_a_deterministic_clock_continues_after_a_restart(tmp_path: Path) -> None:
    options = {"data": tmp_path, "deterministic": True}
    with SandboxServer(**options) as first, Api(first) as api:
        created = api.train().json()["created_at"]
    with SandboxServer(**options) as again, Api(again) as api:
        assert api.train().json()["created_at"] > created


def test_a_killed_sandbox_loses_no_tune_that_it_acknowledged(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "astria_nb.cli", "sandbox", "--data", str(tmp_path)]
    with subprocess.Popen(
        [*command, "--api-key", "sd_sandbox_x"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip().partition("=")[2]
        with SandboxServer() as unused, Api(unused) as api:  # a session; its own sandbox gets no request
            api.headers["Authorization"] = "Bearer sd_sandbox_x"
            fields = {"title": "t", "name": "man", "image_urls": ["https://example.com/1.jpg"]}
            created = api.post(f"{url}/p/43/tunes", json={"tune": fields}).json()
        process.send_signal(signal.SIGKILL)
    with SandboxServer(data=tmp_path) as again, Api(again) as api:
        assert [tune["id"] for tune in api.get("/tunes").json()] == [created["id"]]
        assert len(api.get("/prompts").json()) == 8


def test_the_images_of_an_idempotent_repetition_are_not_kept(tmp_path: Path, jpeg: bytes) -> None:
    with SandboxServer(data=tmp_path, idempotent=True) as sandbox, Api(sandbox) as api:
        form = {"tune[title]": "t", "tune[name]": "man"}
        for _ in range(2):
            tune = api.post("/p/43/tunes", data=form, files={"tune[images][]": ("1.jpg", jpeg)}).json()
        assert len([path for path in (tmp_path / "files").iterdir() if path.name != ".lock"]) == 1
        assert api.get(tune["orig_images"][0]).content == jpeg


class Receiver(BaseHTTPRequestHandler):
    heard: list[str]
    called: threading.Event

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append(self.path)
        self.called.set()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_a_callback_that_was_not_due_is_sent_after_the_restart_and_once(tmp_path: Path) -> None:
    kind = type("Heard", (Receiver,), {"heard": [], "called": threading.Event()})
    with HTTPServer(("127.0.0.1", 0), kind) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        hook = f"http://127.0.0.1:{server.server_port}/hook"
        options = {"data": tmp_path, "speed": 1.0}
        with SandboxServer(**options) as first, Api(first) as api:
            api.train(callback=hook)
        for _ in range(2):
            with SandboxServer(**options) as again:
                again.advance(700)
                assert kind.called.wait(PATIENCE)
        server.shutdown()
    assert kind.heard == ["/hook"]


def test_two_sandboxes_do_not_share_a_folder(tmp_path: Path) -> None:
    with SandboxServer(data=tmp_path), pytest.raises(ValueError, match="data: another sandbox uses"):
        SandboxServer(data=tmp_path)
    with SandboxServer(data=tmp_path):
        pass


def test_a_file_that_is_not_an_account_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "account.sqlite"
    file.write_bytes(b"holiday pictures, not to be lost" * 100)
    with pytest.raises(ValueError, match="is not an account of this sandbox"):
        SandboxServer(data=tmp_path)
    assert file.read_bytes() == b"holiday pictures, not to be lost" * 100


def test_an_account_of_a_later_release_is_refused(tmp_path: Path) -> None:
    SandboxServer(data=tmp_path).stop()
    connection = sqlite3.connect(tmp_path / "account.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ValueError, match="version 99"):
        SandboxServer(data=tmp_path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"data: .*cannot be used"):
        SandboxServer(data=tmp_path / "file" / "account")


def test_a_folder_on_a_full_disk_is_not_called_taken(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="this system cannot limit the size of files")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(ValueError, match=r"data: .* cannot be used .*; give another folder"):
            SandboxServer(data=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_its_folder_stays_where_it_was_when_the_working_directory_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jpeg: bytes
) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "one"))
    monkeypatch.chdir(tmp_path / "one")
    for data in ("account", "~/account"):
        sandbox = SandboxServer(data=data)
        monkeypatch.chdir(tmp_path / "other")
        with sandbox, Api(sandbox) as api:
            form = {"tune[title]": data, "tune[name]": "cat"}
            tune = api.post("/p/43/tunes", data=form, files={"tune[images][]": ("1.jpg", jpeg)}).json()
            assert len(tune["orig_images"]) == 1
    assert list((tmp_path / "other").iterdir()) == []
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["account"]
