"""A key made to be found is used in every way there is, and searched for in everything that is output."""

import copy
import getpass
import http.client
import json
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from jupyter_client.manager import KernelManager

import astria_nb as anb
from astria_nb.client import _transport as transport
from astria_nb.client._api_key import ApiKey
from astria_nb.errors import AstriaError
from astria_nb.tune import encode
from helpers.canary import CANARY, FORMS, format_with_locals, leaks_in, reachable_texts
from helpers.scripted_server import (
    PACK,
    TUNE,
    Answer,
    ScriptedServer,
    cut,
    hang_up,
    reply,
    reset,
    silence,
    verbatim,
)
from helpers.waiting import PATIENCE

ECHO = {"error": f"you sent Authorization: Bearer {CANARY}", "title": [CANARY]}
HEAD, LINE = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n", f"Authorization Bearer {CANARY}\r\n"
ANSWERS: dict[str, Answer] = {
    "success": reply(TUNE),
    "HTML": reply(body=b"<html>", Content_Type="text/html"),
    "HTML that repeats it": reply(body=f"<html>{CANARY}".encode(), Content_Type="text/html"),
    "truncated": cut(TUNE),
    "short": cut(TUNE, Content_Length=999),
    "broken gzip": reply(TUNE, Content_Encoding="gzip"),
    "a chunk's size that repeats it": verbatim(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n{LINE}".encode()),
    "a header that is none": verbatim(f"{HEAD}{LINE}Content-Length: 2\r\n\r\n{{}}".encode()),
    "a status line that is none": verbatim(LINE.encode()),
    "a date that is none": lambda exchange: reply(
        ECHO, 503, Retry_After=exchange.request.headers.get("Authorization", "0")
    )(exchange),
    "a redirect": reply(ECHO, 302, Location=f"https://{CANARY}"),
    "reset": reset(),
    "hung up": hang_up,
    "silence": silence,
    **{
        str(status): reply(ECHO, status, Retry_After="0")
        for status in (301, 307, 400, 401, 403, 404, 422, 429, 500, 502, 503, 504)
    },
}
CALLS: dict[str, Callable[[anb.Client], Any]] = {
    "GET": lambda client: client.tune(7),
    "list": lambda client: list(client.tunes(title="t")),
    "pack": lambda client: client.pack(43),
    "picture": lambda client: client.picture(f"{client.base_url}/tunes/7"),
    **{
        f"POST {encoding}": lambda client, encoding=encoding: client.create_tune(
            43, encode(a_tune(), encoding)
        )
        for encoding in ("multipart", "form", "json")
    },
    "submit": lambda client: anb.submit(a_tune(), client),
}


def a_tune() -> anb.Tune:
    return anb.Tune(pack=43, title="t", name="cat", image_urls=["https://e.com/1.jpg"])


@pytest.fixture
def loud(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    """Turn on all log output about connections."""
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "requests", "keyring", "astria_nb", "http.client"):
        caplog.set_level(logging.DEBUG, name)
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 9)
    return caplog


@pytest.fixture
def client(server: ScriptedServer) -> anb.Client:
    return anb.Client(CANARY, base_url=server.url, timeout=2)


def answers_all(server: ScriptedServer, answer: Answer) -> None:
    for path in ("/tunes/7", "/tunes", "/p/43"):
        server.on("GET", path, answer)
    server.on("POST", "/p/43/tunes", answer)


def leaks_within(value: object) -> list[str]:
    texts = reachable_texts(value, skip=__file__)
    return [f"{path} ({form})" for path, text in texts for form in leaks_in(text)]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_no_call_shows_the_key(
    server: ScriptedServer,
    client: anb.Client,
    loud: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
    call: Callable[[anb.Client], Any],
) -> None:
    patience = 0.3 if answer is silence else 30
    monkeypatch.setattr(transport, "ANSWER_SECONDS", patience)
    monkeypatch.setattr(transport, "PICTURE_SECONDS", patience)
    client = anb.Client(CANARY, base_url=server.url, timeout=patience)
    answers_all(server, answer)
    server.on("GET", "/p/43", reply(PACK)) if call is CALLS["submit"] else None
    error: BaseException | None = None
    try:
        call(client)
    except AstriaError as caught:
        error = caught
    logs = "".join(f"{record.getMessage()} {vars(record)}" for record in loud.records)
    assert leaks_in(logs) == []
    assert [stream for stream in capfd.readouterr() if leaks_in(stream)] == []
    assert leaks_within(client) == []
    if call is not CALLS["picture"]:
        server.await_request()
        assert server.requests[0].headers["Authorization"] == f"Bearer {CANARY}"
    if error is not None:
        texts = [
            str(error),
            repr(error),
            f"{error}",
            format_with_locals(error),
            json.dumps(vars(error), default=str),
        ]
        assert [text for text in texts if leaks_in(text)] == []
        assert leaks_within(error) == []
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert leaks_in(pickle.dumps(error, protocol)) == []
        assert leaks_within(copy.deepcopy(error)) == []


def test_a_connection_that_fails_does_not_show_the_key(loud: pytest.LogCaptureFixture) -> None:
    for url in ("http://127.0.0.1:1", "https://127.0.0.1:1"):
        for call in (CALLS["GET"], CALLS["POST json"]):
            with pytest.raises(AstriaError) as caught:
                call(anb.Client(CANARY, base_url=url))
            assert leaks_in(format_with_locals(caught.value)) == leaks_within(caught.value) == []
    assert leaks_in(loud.text) == []


def test_ctrl_c_does_not_show_the_key(server: ScriptedServer, client: anb.Client) -> None:
    def pressed(sent: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught, encode(a_tune(), on_sent=pressed) as body:
        client.create_tune(43, body)
    assert leaks_in(format_with_locals(caught.value)) == leaks_within(caught.value) == []


def test_objects_with_the_key_show_four_letters_of_it_and_cannot_be_copied(client: anb.Client) -> None:
    inner = client._transport
    request = inner._api_session.prepare_request(requests.Request("GET", f"{client.base_url}/tunes/7"))
    session = inner._api_session
    for value in (client, inner, session, session.auth, inner.key, request, request.headers):
        for text in (f"{value}", f"{value!r}", f"{value!s}", json.dumps([value], default=str)):
            assert leaks_in(text) == []
        assert leaks_in(str(getattr(value, "__dict__", ""))) == []
        for copied in (copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match="cannot be pickled or copied"):
                copied(value)
    assert [f"{inner.key}", f"{inner.key!r:>10}", f"{inner.key:>10}"] == [
        "sd_…end4",
        "  sd_…end4",
        "  sd_…end4",
    ]
    with pytest.raises(TypeError):
        copy.copy(inner.key)
    with pytest.raises(TypeError):
        vars(inner.key)


def test_the_search_finds_a_leak(server: ScriptedServer) -> None:
    client = anb.Client(CANARY, base_url=server.url)
    for form in FORMS.values():
        assert leaks_in(f"…{form}…")
    client.note = {"a": [{"b": (CANARY,)}]}  # type: ignore[attr-defined]
    assert leaks_within(client) != []
    with pytest.raises(ValueError, match="sd_") as caught:
        raise ValueError(CANARY)
    assert leaks_in(format_with_locals(caught.value))


BAD = CANARY + " x"  # the key, and something that was pasted along


def test_a_mistyped_key_is_not_shown_either(monkeypatch: pytest.MonkeyPatch, server: ScriptedServer) -> None:
    assert leaks_in(BAD)

    def by_environment() -> None:
        monkeypatch.setenv("ASTRIA_API_KEY", BAD)
        anb.Client(base_url=server.url)

    def by_login() -> None:
        monkeypatch.setattr(getpass, "getpass", lambda prompt: BAD)
        anb.login(server.url)

    for wrong in (
        lambda: anb.Client(BAD, base_url=server.url), by_environment, by_login, lambda: ApiKey(BAD),
        lambda: anb.Client(CANARY, base_url="http://example.com"), lambda: anb.Client(CANARY, timeout=-1),
    ):  # fmt: skip
        with pytest.raises(AstriaError) as caught:
            wrong()
        assert leaks_in(str(caught.value)) == leaks_within(caught.value) == []


SHELL = """
import sys
from IPython.core.interactiveshell import InteractiveShell
url, bad = sys.argv[1:]
shell = InteractiveShell.instance()
for cell in [
    "%colors nocolor",
    "%xmode Verbose",
    "import getpass, http.client, logging, os, pickle, astria_nb as anb",
    "from astria_nb.client import retry",
    "logging.basicConfig(level=logging.DEBUG); http.client.HTTPConnection.debuglevel = 1",
    "retry.ATTEMPTS, retry._FIRST_WAIT = 2, 0.0",
    f"client = anb.Client(base_url={url!r}, timeout=9)",
    "client",
    "vars(client)",
    "client.tune(7)",
    "client.pack(43)",
    "list(client.tunes())",
    "tune = anb.Tune(pack=43, title='t', name='cat', image_urls=['https://e.com/1.jpg'])",
    "anb.submit(tune, client)",
    "pickle.dumps(client)",
    "anb.Client(base_url='http://example.com')",
    f"anb.Client(base_url={url!r}, timeout=-1)",
    "del os.environ['ASTRIA_API_KEY']; getpass.getpass = lambda prompt: key()",
    f"key = lambda: open({bad!r}).read()[:-2]",
    f"anb.login({url!r})",
    f"key = lambda: open({bad!r}).read()",
    f"anb.login({url!r})",
    "os.environ['ASTRIA_API_KEY'] = key()",
    f"anb.Client(base_url={url!r})",
    f"anb.Client(key(), base_url={url!r})",
    "%tb",
    "_, __, ___, Out",
    "%history -o",
]:
    shell.run_cell(cell, store_history=True)
shell.history_manager.end_session()
"""


def without_key(folder: Path) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ASTRIA_")}
    return {**environment, "IPYTHONDIR": str(folder), "PYTHON_COLORS": "0"}


@pytest.mark.slow
def test_a_shell_that_shows_every_variable_does_not_show_the_key(
    server: ScriptedServer, tmp_path: Path
) -> None:
    answers_all(server, reply(ECHO, 401))
    server.on("GET", "/packs", reply(ECHO, 500))
    typed, folder = tmp_path / "typed", tmp_path / "ipython"
    typed.write_text(BAD)
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", SHELL, server.url, str(typed)],
        env={**without_key(folder), "ASTRIA_API_KEY": CANARY},
        capture_output=True,
        text=True,
        check=True,
    )
    for text in (
        "UnauthorizedError",
        "CredentialsError",
        "ServerError",
        "TypeError",
        "AstriaError",
        "(self=Client(",
    ):
        assert text in done.stdout
    assert "DEBUG:urllib3" in done.stderr
    assert leaks_in(done.stdout) == leaks_in(done.stderr) == []
    history = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name == "history.sqlite" for path in history)
    assert [path for path in history if leaks_in(path.read_bytes())] == []


def test_login_in_a_kernel_leaves_no_trace(tmp_path: Path) -> None:
    manager = KernelManager(kernel_name="python3")
    with anb.Sandbox(api_key=CANARY) as sandbox:
        manager.start_kernel(env=without_key(tmp_path))
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=PATIENCE)
            messages: list[Any] = []

            def answer(message: Any) -> None:
                messages.append(message)
                assert message["content"]["password"] is True
                client.input(CANARY)

            for code in (
                f"import astria_nb as anb; anb.login({sandbox.url!r})",
                "_",
                "_.pack(43).id",
                "%history",
            ):
                done = client.execute_interactive(
                    code, timeout=PATIENCE, allow_stdin=True, stdin_hook=answer, output_hook=messages.append
                )
                assert done["content"]["status"] == "ok"
                messages.append(done)
            messages.append(client.history(reply=True, output=True, timeout=PATIENCE))
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    output = json.dumps(messages, default=str)
    assert "is stored until this process ends" in output
    assert "sd_\\u2026end4" in output
    assert leaks_in(output) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file() and leaks_in(path.read_bytes())] == []
