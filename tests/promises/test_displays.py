"""A display never makes a call fail, and nothing that a service says controls a terminal or a page."""

import io
import json
import os
import pty
import shlex
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import astria_nb as anb
from astria_nb import cli
from astria_nb.client import inspect_each, majority
from astria_nb.errors import AstriaError, Problem
from astria_nb.utils.progress import Progress
from helpers.forked_kernels import python
from helpers.scripted_server import KEY, PACK, TUNE, ScriptedServer, reply
from helpers.waiting import PATIENCE

EVIL = "a\x1b[2J\x1b]0;owned\x07\u202egnp.exe\u2066\x00\x9b1m\r\nb\u200fc\ud800\u2028\x85"
REAL = (sys.executable, "-m", "astria_nb.cli")
TITLE = "\u65e5\u672c\u8a9e \u2192 \N{CAT FACE}"


class Terminal(io.StringIO):
    """A terminal on which writing fails with an error."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        raise self.error


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


STREAMS: dict[str, Callable[[], Any]] = {
    "none": lambda: None,
    "closed": closed,
    "a broken pipe": lambda: Terminal(BrokenPipeError(32, "Broken pipe")),
    "a terminal that is gone": lambda: Terminal(OSError(5, "Input/output error")),
    "a closed terminal": lambda: Terminal(ValueError("I/O operation on closed file")),
    "an encoding without the letters": lambda: Terminal(UnicodeEncodeError("ascii", "·", 0, 1, "no")),
    "no stream at all": object,
}


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(speed=6000) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS.keys())
def test_a_call_goes_on_where_nothing_can_be_displayed(
    sandbox: anb.Sandbox, stream: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Progress.__init__, "__defaults__", (0.0,))  # displayed from the first moment
    monkeypatch.setattr("astria_nb.utils.progress._REDRAW_SECONDS", 0.0)
    client = sandbox.client()
    picture = {"prompt_ids": [797001], "prompt_attributes": {"num_images": 1}}
    tune = anb.Tune(pack=797, title="t", name="cat", image_urls=["https://example.com/1.jpg"], **picture)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream())
        sandbox.fail("504", "POST /p/*/tunes", commit="yes")
        row = anb.submit(tune, client, settle=0.3)
        row = anb.wait(row, client, until="prompts", poll=0.05)
        files = anb.download(row, client, tmp_path / "pictures")
    assert row.loc[0, "status"] == "trained"
    assert set(files["status"]) == {"saved"}


def test_a_terminal_that_hangs_up_in_the_middle_ends_the_display_only(tmp_path: Path) -> None:
    code = """if True:
        import astria_nb as anb, pathlib, sys, traceback
        from astria_nb.utils import progress
        progress.Progress.__init__.__defaults__ = (0.0,)
        try:
            with anb.Sandbox(speed=500) as sandbox:
                client = sandbox.client()
                tune = anb.Tune(pack=797, name="cat", title="t", image_urls=["https://example.com/1.jpg"])
                row = anb.submit(tune, client)
                print("submitted", file=sys.stderr, flush=True)
                sys.stdin.readline()
                outcome = anb.wait(row, client, poll=0.1).loc[0, "status"]
        except BaseException:
            outcome = traceback.format_exc()
        pathlib.Path("outcome").write_text(outcome)
    """
    ours, theirs = pty.openpty()
    program = subprocess.Popen(
        [*python(), "-c", code], stdin=subprocess.PIPE, stdout=theirs, stderr=theirs, cwd=tmp_path
    )
    os.close(theirs)
    output = b""
    while b"submitted\r\n" not in output:  # with its end, which the terminal writes apart
        output += os.read(ours, 4096)
    os.close(ours)  # from here on, writing fails with EIO
    program.communicate(b"\n", timeout=PATIENCE)
    assert (tmp_path / "outcome").read_text() == "trained"


def assert_harmless(text: str) -> None:
    assert [character for character in text if not character.isprintable() and character != "\n"] == []


ANSWERS = [
    reply({"error": EVIL}, 422),
    reply({EVIL: [EVIL, EVIL]}, 400),
    reply({"base": [EVIL]}, 403),
    reply({"message": EVIL}, 404),
    reply(body=EVIL.encode("utf-8", "surrogatepass"), status=401),
    reply({"error": EVIL}, 408),
    reply({"error": EVIL}, 500),
    reply({"error": EVIL}, 429, Retry_After="\x1b[2J"),
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_the_words_of_a_service_do_not_control_the_terminal(
    server: ScriptedServer, client: anb.Client, answer: Any
) -> None:
    server.on("POST", "/p/43/tunes", answer)
    server.on("GET", "/tunes/7", answer)
    tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://e.com/1.jpg"])
    for call in (lambda: anb.submit(tune, client, timeout=25), lambda: client.tune(7)):
        with pytest.raises(AstriaError) as caught:
            call()
        text = "".join(traceback.format_exception(caught.value))
        assert_harmless(text.replace("\t", ""))
        assert_harmless(repr(caught.value))
        for problem in caught.value.problems:
            assert_harmless(problem.field + problem.what + problem.hint)
    problems = anb.ExperimentLog().frame()["problem"].dropna()
    assert_harmless("".join(problems))


def test_the_names_of_a_pack_do_not_control_the_terminal(server: ScriptedServer, client: anb.Client) -> None:
    server.on("GET", "/p/43", reply({**PACK, "title": EVIL, "costs": {EVIL: {"cost": 1}}}))
    assert_harmless(client.pack(43).title)
    tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://e.com/1.jpg"])
    with pytest.raises(AstriaError, match="is not a class of pack 43") as caught:
        anb.submit(tune, client)
    assert_harmless(str(caught.value))


JPEG = io.BytesIO()
Image.new("RGB", (64, 64), "teal").save(JPEG, "JPEG")


def script_an_evil_service(server: ScriptedServer) -> None:
    """Let each text that the service chooses hold what must not get through."""
    address = f"{server.url}/1.jpg"
    addresses = [address, f"{address}?{EVIL}", f"javascript:{EVIL}", f"http://{EVIL}/2.jpg"]
    prompt = {"tune_id": 7, "text": EVIL, "trained_at": TUNE["created_at"], "created_at": TUNE["created_at"]}
    prompts = [
        {**prompt, "id": 2, "user_error": EVIL, "images": []},
        {**prompt, "id": 1, "user_error": None, "images": addresses},
    ]
    tune = {**TUNE, "name": EVIL, "trained_at": TUNE["created_at"], "orig_images": [EVIL], EVIL: EVIL}
    server.on("POST", "/p/43/tunes", reply(tune, 201))
    server.on("GET", "/tunes/7", reply(tune))
    pages = {True: reply([]), False: reply(prompts)}
    server.on(
        "GET", "/tunes/7/prompts", lambda exchange: pages["before_id" in exchange.request.query](exchange)
    )
    server.on("GET", "/1.jpg", reply(body=JPEG.getvalue(), Content_Type="image/jpeg"))


def test_the_texts_of_a_service_control_neither_files_nor_pages(
    server: ScriptedServer, client: anb.Client, tmp_path: Path
) -> None:
    script_an_evil_service(server)
    form = anb.TuneForm(client, pack=43, name="cat", title="t", image_urls=["https://e.com/1.jpg"])
    row = form.submit()
    row["status"] = "trained"
    files = anb.download(row, client, tmp_path / "out")
    assert_harmless("".join(files["problem"].dropna()))
    manifest = (tmp_path / "out" / "manifest.jsonl").read_text()
    assert_harmless(manifest)
    assert {json.loads(line)["text"] for line in manifest.splitlines()} == {EVIL.replace("\ud800", "?")}
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"1-1.jpg", "1-2.jpg", "manifest.jsonl", ".manifest.lock"}

    gallery = anb.gallery(row, client)
    assert "javascript:" not in json.dumps(gallery.cards)
    for text in (
        *texts_of(gallery.get_state()),
        *texts_of(gallery._repr_mimebundle_()[0]),
        *texts_of(form._repr_mimebundle_()[0]),
        *(text for widget in widgets_of(form) for text in texts_of(widget.get_state())),
    ):
        assert_harmless(text.replace("\u200b", "").replace("\t", ""))


def test_what_a_service_finds_in_a_photo_is_filled_in_as_text(
    server: ScriptedServer, client: anb.Client
) -> None:
    server.on("POST", "/images/inspect", reply({"name": EVIL, "age": EVIL, EVIL: "red"}))
    inspections = list(inspect_each(["https://e.com/1.jpg"], client, name="cat"))
    assert inspections[0].warnings[0].startswith("looks like a a")
    characteristics = majority(inspections)
    assert len(characteristics) == 2
    assert_harmless("".join([*inspections[0].warnings, *characteristics, *characteristics.values()]))


def texts_of(value: Any) -> Iterator[str]:
    """Yield every text in a value, but for our own scripts and styles."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for element in value:
            yield from texts_of(element)
    elif isinstance(value, dict):
        for name, element in value.items():
            if name not in ("_esm", "_css"):
                yield from texts_of(element)


def widgets_of(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from widgets_of(child)


@pytest.mark.parametrize("place", [EVIL.encode("utf-8", "replace"), b"\x1b[2J\x9b1m", b"http://[broken/"])
def test_the_head_of_an_answer_does_not_control_the_terminal(
    server: ScriptedServer, client: anb.Client, place: bytes
) -> None:
    place = place.translate(None, b"\r\n")
    heads = (
        b"HTTP/1.1 302 " + place + b"\r\nLocation: " + place,
        b"HTTP/1.1 200 x\r\nContent-Length: 1\r\nContent-Type: " + place,
        b"HTTP/1.1 200 x\r\nContent-Length: " + place,
        b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n" + place,
        b"HTTP/1.1 200 x\r\nContent-Length: 0\r\n" + place,
        b"HTTP/1.1 429 x\r\nContent-Length: 0\r\nRetry-After: " + place + b"\r\nDate: " + place,
        place,
    )
    for head in heads:
        with closing(anb.Client(KEY, base_url=server.url)) as own:
            server.on("GET", "/tunes/7", reply_with(head))
            with pytest.raises(AstriaError) as caught:
                own.tune(7)
        assert_harmless("".join(traceback.format_exception(caught.value)).replace("\t", ""))
        assert_harmless(repr(caught.value))


def reply_with(head: bytes) -> Any:
    def answer(exchange: Any) -> bool:
        exchange.read()
        exchange.socket.sendall(head + b"\r\n\r\n")
        return False

    return answer


def test_an_emoji_made_of_several_stays_one() -> None:
    family = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"
    assert Problem("title", family, "choose").what == family
    assert Problem("title", "a\tb\u2028c", "choose").what == "a b c"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a log of four submissions."""
    folder = tmp_path_factory.mktemp("recorded")
    log = anb.ExperimentLog(folder / "astria_log.sqlite")
    with anb.Sandbox() as sandbox:
        for number, title in enumerate(("1", "2", "3", TITLE)):
            urls = [f"https://example.com/{number}.jpg"]
            tune = anb.Tune(pack=43, title=title, name="cat", image_urls=urls)
            anb.submit(tune, sandbox.client(), log=log)
    log.close()
    return folder


def run_log(
    folder: Path, more: str = "", program: Sequence[str] = REAL, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a shell, in a folder with a log."""
    names = [name for name in os.environ if not name.startswith(("LC_", "LANG")) and name != "ASTRIA_NB_LOG"]
    return subprocess.run(
        f"{shlex.join(program)} log {more}",
        shell=True,
        cwd=folder,
        env={**{name: os.environ[name] for name in names}, **environment},
        capture_output=True,
        timeout=PATIENCE,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "cp1252"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["cp1252", "C locale"],
)
def test_the_log_is_printed_in_any_encoding(recorded: Path, environment: dict[str, str]) -> None:
    done = run_log(recorded, **environment)
    assert (done.returncode, done.stderr) == (0, b"")
    header, *_, line = done.stdout.splitlines()
    assert header.endswith(b"title")
    assert line.endswith(b" ??? ? ?")


@pytest.mark.slow
@pytest.mark.parametrize("redirection", [">&-", ">/dev/full", "| head -1"])
def test_the_log_ends_quietly_where_nobody_reads_it(recorded: Path, redirection: str) -> None:
    command = "import sys; from astria_nb.cli import main; sys.exit(main())"
    # A program without an output cannot be forked.
    done = run_log(recorded, redirection, REAL if redirection == ">&-" else [*python(), "-c", command])
    if redirection == ">/dev/full":
        assert done.returncode == 1
        assert done.stderr == b"astria-nb log: cannot print (No space left on device)\n"
    else:
        assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS.keys())
def test_an_error_of_the_log_that_cannot_be_shown_is_an_exit_status(
    tmp_path: Path,
    stream: Callable[[], Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream())
        status = cli.main(["log", "--log", str(tmp_path / "nowhere.sqlite")])
    assert status == 1
    assert capsys.readouterr().out == ""
