"""Where the key is found, and anb.login, which asks for it, checks it, stores it and does not show it."""

import getpass
import sys
import types
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import pytest
from keyring.backends import fail, null

import astria_nb as anb
from astria_nb.client import _credentials as credentials
from astria_nb.client import find_key
from astria_nb.client._api_key import ApiKey
from astria_nb.errors import CredentialsError, NotSentError, UnauthorizedError
from helpers.scripted_server import KEY, ScriptedServer, reply

REAL = "https://api.astria.ai"
Typing = Callable[[str], None]


class Memory(keyring.backend.KeyringBackend):
    """A keyring in memory."""

    priority = 1  # type: ignore[assignment]
    name = "a keyring"

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.keys.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.keys[service, username] = password


class Locked(Memory):
    name = "a locked keyring"

    def get_password(self, *_: str) -> str | None:
        raise RuntimeError("locked")

    set_password = get_password  # type: ignore[assignment]


@pytest.fixture
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASTRIA_API_KEY", raising=False)
    monkeypatch.delenv("ASTRIA_BASE_URL", raising=False)
    monkeypatch.setattr(credentials, "_process_keys", {})


@pytest.fixture
def ring(no_key: None) -> Iterator[Memory]:
    yield from using(Memory())


@pytest.fixture(params=[null.Keyring, Locked, None], ids=["turned off", "locked", "not installed"])
def no_ring(no_key: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    if request.param is not None:
        yield from using(request.param())
    else:
        monkeypatch.setitem(sys.modules, "keyring", None)
        yield


def using(backend: Any) -> Iterator[Any]:
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Typing:
    """Return a function that makes getpass return a key."""
    return lambda secret: monkeypatch.setattr(getpass, "getpass", lambda prompt: secret)


def colab(monkeypatch: pytest.MonkeyPatch, get: Callable[[str], str]) -> None:
    """Make this process look like Colab."""
    userdata = types.ModuleType("google.colab.userdata")
    userdata.get = get  # type: ignore[attr-defined]
    package = types.ModuleType("google.colab")
    package.userdata = userdata  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "google", types.ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", package)
    monkeypatch.setitem(sys.modules, "google.colab.userdata", userdata)


def text_of(key: ApiKey | None) -> str:
    return str(key)


def test_the_sources_of_a_key_have_an_order(ring: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials._process_keys["api.astria.ai"] = ApiKey("sd_of_process")
    assert text_of(find_key()) == "sd_…cess"
    ring.set_password("astria_nb", "api.astria.ai", "sd_of_keyring")
    assert text_of(find_key()) == "sd_…ring"
    colab(monkeypatch, {"ASTRIA_API_KEY": "sd_of_colab"}.__getitem__)
    assert text_of(find_key()) == "sd_…olab"
    monkeypatch.setenv("ASTRIA_API_KEY", "sd_of_environment")
    assert text_of(find_key()) == "sd_…ment"
    assert text_of(find_key("sd_of_argument")) == "sd_…ment"
    assert find_key("sd_of_argument") == ApiKey("sd_of_argument")


def test_without_any_source_there_is_no_key(no_ring: None) -> None:
    assert find_key() is None
    with pytest.raises(CredentialsError, match=r"no API key found; set ASTRIA_API_KEY or run anb\.login\(\)"):
        anb.Client()


class SecretNotFoundError(Exception):
    """As in Colab."""


class NotebookAccessError(Exception):
    """As in Colab."""


class TimeoutException(Exception):  # noqa: N818  as in Colab
    """As in Colab."""


def raising(error: Exception) -> Callable[[str], str]:
    def get(_: str) -> str:
        raise error

    return get


@pytest.mark.parametrize("error", [SecretNotFoundError("x"), KeyError("x"), ImportError("x")], ids=repr)
def test_a_colab_secret_that_is_not_there_is_no_news(
    no_key: None, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    colab(monkeypatch, raising(error))
    assert find_key() is None


@pytest.mark.parametrize(
    ("error", "next_step"),
    [
        (NotebookAccessError("ASTRIA_API_KEY"), "switch on Notebook access for it under Secrets"),
        (TimeoutException("Requesting secret timed out."), "can only be read while the notebook is open"),
        (RuntimeError("Secrets can only be fetched from the Colab UI."), "set the environment variable"),
        (AttributeError("kernel"), r"could not be read \(AttributeError\)"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_a_colab_secret_that_may_not_be_read_is_a_warning(
    ring: Memory, monkeypatch: pytest.MonkeyPatch, error: Exception, next_step: str
) -> None:
    colab(monkeypatch, raising(error))
    for use in (find_key, lambda: anb.TuneForm()):
        with pytest.warns(UserWarning, match=f"Colab's secret ASTRIA_API_KEY .*{next_step}"):
            use()
    ring.set_password("astria_nb", "api.astria.ai", "sd_of_keyring")
    assert text_of(find_key()) == "sd_…ring"  # without a warning


class PlaintextKeyring(Memory):
    """As in keyrings.alt, which writes to a file."""

    name = "PlaintextKeyring"

    def delete_password(self, service: str, username: str) -> None:
        del self.keys[service, username]


class Chainer(keyring.backend.KeyringBackend):
    """As keyring's own, which passes on to the backends that it finds."""

    priority = 1  # type: ignore[assignment]

    def __init__(self, *backends: Any) -> None:
        super().__init__()
        self.backends = backends

    def get_password(self, service: str, username: str) -> str | None:
        found = (backend.get_password(service, username) for backend in self.backends)
        return next((password for password in found if password is not None), None)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.backends[0].set_password(service, username, password)


@pytest.mark.parametrize("is_chained", [False, True])
def test_a_key_is_not_kept_in_clear_text_unless_that_is_allowed(
    no_key: None,
    typed: Typing,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    is_chained: bool,
) -> None:
    plain = PlaintextKeyring()
    before = keyring.get_keyring()
    keyring.set_keyring(Chainer(null.Keyring(), plain) if is_chained else plain)
    try:
        with anb.Sandbox() as sandbox:
            host = sandbox.url.removeprefix("http://")
            plain.set_password("astria_nb", host, "sd_an_older_one")
            typed(sandbox.api_key)
            anb.login(sandbox.url)
            assert plain.keys == {}
            assert anb.Client(base_url=sandbox.url).pack(43).id == 43
            output = capsys.readouterr().out
            assert (
                "(PlaintextKeyring) keeps keys in clear text. To allow that, set "
                "ASTRIA_NB_CLEAR_TEXT_KEYRING=1 and log in again" in output
            )
            assert "pip install" not in output
            monkeypatch.setenv("ASTRIA_NB_CLEAR_TEXT_KEYRING", "1")
            anb.login(sandbox.url)
            assert plain.keys == {("astria_nb", host): sandbox.api_key}
    finally:
        keyring.set_keyring(before)


def test_in_a_chain_the_protected_keyring_gets_the_key(no_key: None, typed: Typing) -> None:
    plain, protected = PlaintextKeyring(), Memory()
    for _ in using(Chainer(plain, protected)):
        with anb.Sandbox() as sandbox:
            typed(sandbox.api_key)
            anb.login(sandbox.url)
            assert list(protected.keys.values()) == [sandbox.api_key]
            assert plain.keys == {}


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        (null.Keyring, "the keyring is turned off. To turn it on, see what keyring diagnose prints"),
        (fail.Keyring, "this machine has no keyring"),
        (Locked, "does not accept it. To store it there, unlock it and log in again"),
    ],
)
def test_a_keyring_that_keeps_nothing_is_named_as_such(
    no_key: None, typed: Typing, capsys: pytest.CaptureFixture[str], backend: Any, reason: str
) -> None:
    for _ in using(backend()):
        with anb.Sandbox() as sandbox:
            typed(sandbox.api_key)
            anb.login(sandbox.url)
    output = capsys.readouterr().out
    assert "is stored until this process ends: " in output
    assert f"{reason}. To have it in each process, set the environment variable ASTRIA_API_KEY" in output
    assert "pip install" not in output  # it is installed


def test_without_a_key_a_submission_says_once_that_it_is_a_rehearsal(
    no_ring: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def submit() -> int:
        title = str(uuid.uuid4())
        urls = [f"https://example.com/{title}.jpg"]
        return len(anb.submit(anb.Tune(pack=43, name="cat", title=title, image_urls=urls)))

    monkeypatch.setattr("astria_nb.defaults._is_announced", False)
    with pytest.warns(
        UserWarning, match=r"nothing is charged.* run anb\.login\(\) or set ASTRIA_API_KEY"
    ) as warned:
        assert [submit(), submit()] == [1, 1]
    assert len(warned) == 1
    monkeypatch.setattr("astria_nb.defaults._is_announced", False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert submit() == 1  # a rehearsal is not a failure


def test_colab_is_not_imported_elsewhere(
    ring: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "google" / "colab"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    assert find_key() is None


@pytest.mark.parametrize("elsewhere", ["http://127.0.0.1:3000", "https://astria.example.com"])
def test_a_stored_key_is_only_sent_where_it_belongs(
    ring: Memory, monkeypatch: pytest.MonkeyPatch, elsewhere: str
) -> None:
    colab(monkeypatch, {"ASTRIA_API_KEY": "sd_of_colab"}.__getitem__)
    ring.set_password("astria_nb", "api.astria.ai", "sd_of_keyring")
    credentials._process_keys["api.astria.ai"] = ApiKey("sd_of_process")
    assert find_key(base_url=elsewhere) is None
    monkeypatch.setenv("ASTRIA_BASE_URL", elsewhere)
    assert find_key() is None
    assert find_key(base_url=REAL) is not None


def test_the_key_of_a_sandbox_does_not_go_to_the_real_service(ring: Memory) -> None:
    ring.set_password("astria_nb", "127.0.0.1:3000", "sd_of_sandbox")
    assert find_key() is None
    assert text_of(find_key(base_url="http://127.0.0.1:3000/")) == "sd_…dbox"
    assert find_key(base_url="http://127.0.0.1:3001") is None


def test_a_stored_key_is_found_by_the_next_client(
    ring: Memory, typed: Typing, capsys: pytest.CaptureFixture[str]
) -> None:
    with anb.Sandbox() as sandbox:
        typed(f" {sandbox.api_key}\n")
        assert anb.login(sandbox.url).pack(260).id == 260
        assert anb.Client(base_url=sandbox.url).pack(43).id == 43
        host = sandbox.url.removeprefix("http://")
        assert ring.keys == {("astria_nb", host): sandbox.api_key}
        output = capsys.readouterr().out
        assert f"is stored in the keyring (a keyring) for {host}." in output
        assert sandbox.api_key not in output


def test_without_a_keyring_the_key_is_stored_for_this_process(
    no_ring: None, typed: Typing, capsys: pytest.CaptureFixture[str]
) -> None:
    with anb.Sandbox() as sandbox:
        typed(sandbox.api_key)
        anb.login(sandbox.url)
        assert anb.Client(base_url=sandbox.url).pack(43).id == 43
        output = capsys.readouterr().out
    assert "is stored until this process ends" in output
    is_installed = sys.modules.get("keyring") is not None
    assert ("pip install 'astria-nb[keyring]' and log in again" in output) is not is_installed
    assert "ASTRIA_API_KEY" in output


def test_the_key_is_checked_by_one_cheap_request(ring: Memory, typed: Typing, server: ScriptedServer) -> None:
    server.on("GET", "/packs", reply([]))
    typed(KEY)
    anb.login(server.url)
    (request,) = server.requests
    assert request.target == "/packs?limit=1"
    assert request.headers["Authorization"] == f"Bearer {KEY}"


def test_a_key_that_is_refused_is_not_stored(
    ring: Memory, typed: Typing, server: ScriptedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.on("GET", "/packs", reply({"error": f"unknown {KEY}"}, 401))
    typed(KEY)
    with pytest.raises(UnauthorizedError, match="sd_…1234 was refused"):
        anb.login(server.url)
    server.on("GET", "/packs", reply({}, 503))
    with pytest.raises(anb.errors.ServerError):
        anb.login(server.url)
    assert ring.keys == credentials._process_keys == {}
    assert capsys.readouterr().out == ""


def test_an_invalid_key_is_not_sent(ring: Memory, typed: Typing, server: ScriptedServer) -> None:
    for nonsense in ("", "my password", "sd_two\nlines"):
        typed(nonsense)
        with pytest.raises(CredentialsError, match="is not an Astria key"):
            anb.login(server.url)
    assert server.requests == []


def test_a_key_that_could_not_be_checked_is_not_stored(ring: Memory, typed: Typing) -> None:
    typed(KEY)
    with pytest.raises(NotSentError):
        anb.login("http://127.0.0.1:1")
    assert ring.keys == {}


def test_the_key_is_not_asked_for_where_it_would_be_displayed(
    ring: Memory, monkeypatch: pytest.MonkeyPatch, server: ScriptedServer
) -> None:
    def getpass_without_terminal(prompt: str) -> str:
        return getpass.fallback_getpass(prompt)  # type: ignore[attr-defined,no-any-return]

    def no_frontend(prompt: str) -> str:
        raise NotImplementedError("getpass was called, but this frontend does not support input requests.")

    for ask in (getpass_without_terminal, no_frontend):
        monkeypatch.setattr(getpass, "getpass", ask)
        with pytest.raises(CredentialsError, match=r"cannot be entered here .*; set ASTRIA_API_KEY instead"):
            anb.login(server.url)


def test_a_variable_that_takes_precedence_is_named(
    ring: Memory,
    typed: Typing,
    server: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ASTRIA_API_KEY", "sd_of_environment")
    server.on("GET", "/packs", reply([]))
    typed(KEY)
    assert "sd_…1234" in repr(anb.login(server.url))
    assert "ASTRIA_API_KEY is set as well" in capsys.readouterr().out
