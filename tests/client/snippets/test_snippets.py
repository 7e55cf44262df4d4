"""A snippet sends what `submit` sends: each is run, and the requests are compared."""

from __future__ import annotations

import json
import os
import shutil
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

import astria_nb as anb
from astria_nb.client.snippets import as_curl, as_javascript, as_json, as_python
from astria_nb.errors import AstriaError, CredentialsError, TuneError
from astria_nb.tune import encode
from helpers.body_parsers import Part, multipart
from helpers.canary import CANARY, leaks_in
from helpers.scripted_server import KEY, TUNE, Exchange, Request, ScriptedServer, reply
from helpers.snippet_runs import CURL, NODE, PYTHON, Language, ParsedRequest, SnippetBench, execute

LANGUAGES = [CURL, PYTHON, NODE]
Tunes = dict[tuple[str, str], anb.Tune]  # by case and encoding
ENCODINGS = ["multipart", "form", "json"]
URL = "https://example.com/1.jpg"
TRAIN: dict[str, Any] = {"pack": 43, "name": "man", "image_urls": [URL]}
FULL: dict[str, Any] = {
    **TRAIN,
    "pack": 260,
    "title": "6f0c2d1e-58f7-4a0b-9c1d-0a2b3c4d5e6f",
    "image_urls": [URL, URL, "https://example.com/[2-3].jpg?a=$HOME;b='!'"],
    "callback": "https://example.com/hook?user_id=1&x=[1-3]",
    "characteristics": {"eye_color": "blue eyes", "empty": ""},
    "prompt_attributes": {
        "callback": URL, "num_images": 4, "cfg_scale": 2.5, "inpaint_faces": True, "film_grain": False,
        "whole": 7.0, "tiny": 5e-324, "huge": -1.5e300, "negative": -3,
    },
    "prompts_callback": "https://example.com/all",
    "prompt_ids": [260003, 260001],
    "preset": "flux-lora-fast",
    "brief": "warm light; \"35 mm\" & $5,\nno props",
    "auto_extend": False,
    "branch": "fast",
}  # fmt: skip
LARGE = {"a": 2**63 - 1, "b": -(2**53), "c": 1.2345678901234568e20}
KEYS = [
    "a=b",
    "q='x",
    "a b;c,d",
    "@k",
    "$k `k`",
    "b/s",
    "__proto__",
    "é🐈",
    "%22=+&",
    "-",
]
TEXTS = [
    "it's \"quoted\" `id` 'twice'",
    '"',
    "'",
    "$HOME ${HOME} $(id) `id`",
    "back\\slash \\n \\\\ \\' \\\" \\",
    'wow! !! !ls !$ !"',
    "@/etc/passwd",
    "<@/etc/passwd",
    "-x --data",
    "a=b=c",
    ";type=text/html;filename=x",
    "a,b;c",
    " spaces \t at the ends ",
    "%41 %22 100% a+b &c=d#e",
    "[1-3] {a,b} * ? ~",
    "Zoë 🐈 日本 👩‍👩‍👧",
    "\x01\x1b[31m\x7f\x85\xa0\u200b\u202e\u2028\ufeff\U000e0041",
    "${a} #{b} {{c}} %(d)s %s",
    "</script><!-- //",
]
LINES = ["one\ntwo\r\nthree\rfour\n", "JSON\nJSON\n", "é\nß'!\\", "\n", "\r\n"]
CASES: dict[str, dict[str, Any]] = {
    "everything": FULL,
    "slug": {**TRAIN, "pack": "corporate-headshots", "title": "-@'$x"},
    "large numbers": {**TRAIN, "title": "large", "prompt_attributes": LARGE},
    "keys that multipart cannot carry": {
        **TRAIN,
        "title": "more keys",
        "characteristics": dict.fromkeys(("q\"='x", "b\\s", "line\nbreak\r"), "x"),
    },
    "keys": {
        **TRAIN,
        "title": "keys",
        "characteristics": {key: f"<{key};" for key in KEYS}
        | {f"{text}=": text for text in ("@x", "<x", "(")},
    },
    **{
        name: {
            **TRAIN,
            "title": f"{name}: {''.join(texts)}",
            "characteristics": {f"c{number}": text for number, text in enumerate(texts)},
            "prompt_attributes": {f"p{number}": text for number, text in enumerate(texts)},
        }
        for name, texts in (("texts", TEXTS), ("lines", LINES))
    },
}
in_each_language = pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnippetBench]:
    with anb.Sandbox(deterministic=True) as sandbox:
        yield SnippetBench(sandbox, tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="module")
def tunes(bench: SnippetBench) -> Tunes:
    ids = [
        int(anb.submit(anb.Tune(**TRAIN, title=title), bench.client, log=bench.log()).id[0]) for title in "ab"
    ]
    cases = {**CASES, "existing tunes": {"pack": 43, "tune_ids": ids, "prompt_ids": [43001]}}
    return {
        (case, encoding): anb.Tune(**fields)
        for case, fields in cases.items()
        for encoding in ENCODINGS
        if "multipart" not in case or encoding != "multipart"
    }


@pytest.fixture(scope="module")
def submitted(
    bench: SnippetBench, tunes: dict[tuple[str, str], anb.Tune]
) -> dict[tuple[str, str], ParsedRequest]:
    logs = {encoding: bench.log() for encoding in ENCODINGS}  # a log takes a title once
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "title: has more than 255 characters", UserWarning)
        return {
            (case, encoding): bench.submit(tune, encoding, logs[encoding])
            for (case, encoding), tune in tunes.items()
        }


@pytest.mark.slow
@in_each_language
def test_any_text_arrives_as_it_was_submitted(
    language: Language, bench: SnippetBench, tunes: Any, submitted: dict[tuple[str, str], ParsedRequest]
) -> None:
    requests = bench.run(language, [(tune, encoding) for (_, encoding), tune in tunes.items()])
    assert dict(zip(tunes, requests, strict=True)) == submitted
    assert {request.status for request in requests} == {201}
    assert {request.content_type for request in requests} == {
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "application/json",
    }


NAMES = [
    "1.jpg", "Zoë 🐈.jpg", 'a"b.jpg', "it's.jpg", "a\r\nb.jpg", "a\nb.jpg", "a;type=x=b, d.jpg", " a  b ",
    "%22.jpg", "a\\b\\.jpg", "\\", '"', "$HOME`id`!.jpg", "-F", "@x", "\x1b\u202e.jpg",
    os.fsdecode(b"\xff\xe9\\\".jpg"),
]  # fmt: skip


def pictures(folder: Path) -> list[Path]:
    """Return files of three types whose names do not show their type, or show a wrong one."""
    paths = [folder / "a folder; with, \"all\" 'sorts'" / name for name in NAMES]
    paths[0].parent.mkdir()
    for number, path in enumerate(paths):
        with path.open("wb") as file:
            Image.new("RGB", (64, 64 + number), "teal").save(file, ["JPEG", "PNG", "WEBP"][number % 3])
    return paths


def parts(request: Request) -> list[Part]:
    assert (request.method, request.target) == ("POST", "/p/43/tunes")
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    return multipart(request.headers["Content-Type"], request.body)


@in_each_language
def test_files_arrive_with_the_same_names_types_and_bytes(
    language: Language, server: ScriptedServer, client: anb.Client, tmp_path: Path
) -> None:
    images = pictures(tmp_path)
    tunes = [anb.Tune(pack=43, name="cat", title=title, images=images) for title in ("t", "two\nlines")]
    for tune in tunes:
        anb.submit(tune, client, keep_metadata=True)  # the code uploads the files as they are
    done = language.run([language.write(tune, base_url=server.url) for tune in tunes], tmp_path, KEY)
    assert done.returncode == 0, done.stderr
    *expected, plain, lines = map(parts, server.received("POST"))
    assert [plain, lines] == expected
    assert {part.media_type for part in plain} == {None, "image/jpeg", "image/png", "image/webp"}
    assert json.dumps(TUNE) in done.stdout


def test_the_default_encoding_is_that_of_submit(bench: SnippetBench, photos: list[Path]) -> None:
    urls, files = anb.Tune(**TRAIN, title="d1"), anb.Tune(pack=43, name="man", title="d2", images=photos)
    expected = [bench.submit(tune, None) for tune in (urls, files)]
    for language in LANGUAGES:
        assert bench.run(language, [(urls, None), (files, None)]) == expected


def test_json_of_any_length_can_be_passed_to_a_shell(bench: SnippetBench) -> None:
    long = anb.Tune(**{**TRAIN, "title": "long", "characteristics": {"x": "wörd!'" * 50_000}})
    assert bench.run(CURL, [(long, "json")]) == [bench.submit(long, "json")]


@in_each_language
def test_a_strange_address_is_written_as_the_client_writes_it(
    language: Language, server: ScriptedServer, tmp_path: Path
) -> None:
    strange = f"{server.url}/a b{{c,d}}[1-2]'é\"$HOME!"
    tune = anb.Tune(**TRAIN, title="t")
    with pytest.raises(AstriaError):
        anb.Client(KEY, base_url=strange).create_tune(43, encode(tune))
    language.run([language.write(tune, base_url=strange)], tmp_path, KEY)
    by_client, by_snippet = server.requests
    assert by_snippet.target == by_client.target
    assert by_snippet.body


# History expansion only happens in an interactive shell.
@pytest.mark.skipif(
    shutil.which("bash") is None or shutil.which("curl") is None, reason="needs bash and curl"
)
def test_a_command_can_be_pasted_into_a_shell_that_remembers(bench: SnippetBench, tmp_path: Path) -> None:
    tunes = [anb.Tune(**{**TRAIN, "title": f"wow! !! !$ 'x!' {text}"}) for text in ("", "\\", "\n!ls\t'!!'")]
    expected = [bench.submit(tune, encoding) for tune in tunes for encoding in ENCODINGS]
    typed = "".join(
        anb.as_curl(tune, encoding=encoding, base_url=bench.sandbox.url) + "\n"  # type: ignore[arg-type]
        for tune in tunes
        for encoding in ENCODINGS
    )
    start = len(bench.sandbox.ledger)
    execute(["bash", "--norc", "--noprofile", "-i"], tmp_path, bench.sandbox.api_key, f"echo old\n{typed}")
    assert bench.posts_since(start) == expected


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
@pytest.mark.parametrize("suffix", [".js", ".mjs", ".cjs", None])
def test_a_program_for_node_runs_as_script_and_as_module(
    suffix: str | None, bench: SnippetBench, photos: list[Path], tmp_path: Path
) -> None:
    tune = anb.Tune(pack=43, name="man", title="t", images=photos)
    code = anb.as_javascript(tune, base_url=bench.sandbox.url)
    file = tmp_path / f"tune{suffix}"
    file.write_text(code, "utf-8")
    done = execute(["node", str(file) if suffix else "-"], tmp_path, bench.sandbox.api_key, code)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["title"] == "t"


# Node's fetch gives up on a chunk that takes more than five minutes to send, and has no option for it.
SMALL_PIECES = """
globalThis.fetch = async (url, { body }) => {
  let largest = 0;
  for await (const piece of new Response(body).body) largest = Math.max(largest, piece.length);
  return new Response(String(largest));
};
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
@pytest.mark.parametrize("title", ["t", "two\nlines"])
def test_node_sends_a_photo_in_small_pieces(title: str, photos: list[Path], tmp_path: Path) -> None:
    with photos[0].open("ab") as file:
        file.truncate(2**22)
    code = anb.as_javascript(anb.Tune(pack=43, name="man", title=title, images=photos))
    done = execute(["node", "-"], tmp_path, KEY, SMALL_PIECES + code)
    assert done.returncode == 0, done.stderr
    assert 0 < int(done.stdout) <= 2**16


@pytest.mark.soak
def test_a_photo_may_take_six_minutes_to_upload(
    server: ScriptedServer, photos: list[Path], tmp_path: Path
) -> None:
    def slowly(exchange: Exchange) -> bool:
        remaining = int(exchange.request.headers["Content-Length"])
        while remaining:
            remaining -= len(exchange.stream.read(min(remaining, 20_000)))
            time.sleep(0.2)
        return reply(TUNE, 201, read=0)(exchange)

    server.on("POST", "/p/43/tunes", slowly)
    with photos[0].open("ab") as file:
        file.truncate(36_000_000)
    tune = anb.Tune(pack=43, name="cat", title="t", images=photos[:1])

    def upload(language: Language) -> int:
        (folder := tmp_path / language.name).mkdir()
        snippet = language.write(tune, base_url=server.url)
        return language.run([snippet], folder, KEY, timeout=900).returncode

    with ThreadPoolExecutor() as pool:
        assert list(pool.map(upload, LANGUAGES)) == [0, 0, 0]


@in_each_language
def test_a_refusal_is_shown_and_fails(language: Language, bench: SnippetBench, tmp_path: Path) -> None:
    tune = anb.Tune(**{**TRAIN, "name": "nobody", "title": "t"})
    done = language.run([language.write(tune, base_url=bench.sandbox.url)], tmp_path, bench.sandbox.api_key)
    assert done.returncode != 0
    assert list(json.loads(done.stdout)) == ["name"]
    assert "422" in done.stderr


@in_each_language
@pytest.mark.parametrize("status", [307, 429, 503])
def test_a_request_is_sent_once_whatever_the_answer(
    language: Language, status: int, server: ScriptedServer, tmp_path: Path
) -> None:
    answer = reply({"error": "later"}, status, Retry_After="0", Location=f"{server.url}/elsewhere")
    server.on("POST", "/p/43/tunes", answer)
    tune = anb.Tune(**TRAIN, title="t")
    done = language.run([language.write(tune, base_url=server.url)], tmp_path, KEY)
    assert [request.path for request in server.requests] == ["/p/43/tunes"]
    assert json.loads(done.stdout) == {"error": "later"}
    assert done.returncode != 0 or status < 400


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_no_snippet_holds_a_key(
    encoding: Any, monkeypatch: pytest.MonkeyPatch, photos: list[Path], server: ScriptedServer
) -> None:
    monkeypatch.setenv("ASTRIA_API_KEY", CANARY)
    monkeypatch.setenv("ASTRIA_BASE_URL", server.url)
    client = anb.Client(CANARY)
    tunes = [anb.Tune(**FULL)]
    if encoding == "multipart":
        tunes.append(anb.Tune(pack=43, name="cat", title="t", images=photos))
    for tune in tunes:
        snippets = [language.write(tune, encoding=encoding) for language in LANGUAGES]
        assert [leaks_in(snippet) for snippet in snippets] == [[], [], []]
        for snippet, key in zip(
            snippets,
            ["$ASTRIA_API_KEY", 'os.environ["ASTRIA_API_KEY"]', "process.env.ASTRIA_API_KEY"],
            strict=True,
        ):
            assert snippet.count(key) == snippet.count("ASTRIA_API_KEY") == 1
            assert f"https://api.astria.ai/p/{tune.pack}/tunes" in snippet
            assert "127.0.0.1" not in snippet
    client.close()


@in_each_language
def test_what_cannot_be_sent_is_refused_as_submit_refuses_it(language: Language, photos: list[Path]) -> None:
    files = anb.Tune(pack=43, name="cat", title="t", images=photos)
    for encoding in ("json", "form", "xml"):
        with pytest.raises(TuneError) as expected:
            encode(files, encoding)  # type: ignore[arg-type]
        with pytest.raises(TuneError) as caught:
            language.write(files, encoding=encoding)
        assert caught.value.problems == expected.value.problems
    with pytest.raises(TuneError, match="'json' cannot carry image files"):
        as_json(files)
    with pytest.raises(CredentialsError, match="unencrypted"):
        language.write(files, base_url="http://example.com")


def test_the_json_is_that_of_the_body() -> None:
    for fields in CASES.values():
        tune = anb.Tune(**fields)
        sent = b"".join(bytes(block) for block in encode(tune, "json"))
        assert json.loads(as_json(tune)) == json.loads(sent)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_invisible_characters_are_escaped(encoding: Any) -> None:
    tune = anb.Tune(**{**TRAIN, "title": "a\u202eb\u200bc\x1b\x85\u2028\rd\xa0"})
    for language in LANGUAGES:
        snippet = language.write(tune, encoding=encoding)
        assert "".join(snippet.split("\n")).isprintable()


def texts(*, but: str) -> st.SearchStrategy[str]:
    special = "ab'\"\\$`!@<>-=;,&%#*?~{}[]()| \t\r\n🐈é"
    any_text = st.characters(exclude_characters="\0" + but, exclude_categories=["Cs"])
    return st.text(any_text, max_size=12) | st.text(sorted(set(special) - set(but)), max_size=12)


TEXT = texts(but="")
# A bracket would nest, and multipart cannot carry quotes and line breaks; the dot avoids blank keys and those
# of the sandbox.
KEY_TEXT = texts(but='[]%"\\\r\n').map(lambda key: f"{key}.")
NUMBERS = st.integers(1 - 2**63, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
TUNES = st.fixed_dictionaries(
    {
        "title": TEXT,
        "characteristics": st.dictionaries(KEY_TEXT, TEXT, max_size=3),
        "prompt_attributes": st.dictionaries(KEY_TEXT, TEXT | st.booleans() | NUMBERS, max_size=3),
    },
    optional={"auto_extend": st.booleans()},
)


def check_generated(bench: SnippetBench, batch: list[dict[str, Any]]) -> None:
    tunes = [
        anb.Tune(**TRAIN | fields | {"title": f"{n}{fields['title']}"}) for n, fields in enumerate(batch)
    ]
    asked = [(tune, encoding) for encoding in ENCODINGS for tune in tunes]
    logs = {encoding: bench.log() for encoding in ENCODINGS}
    expected = [bench.submit(tune, encoding, logs[encoding]) for tune, encoding in asked]
    for language in LANGUAGES:
        assert bench.run(language, asked) == expected


def generated(examples: int) -> Any:
    # Failing batches are not shrunk: each attempt would start three programs.
    return settings(
        max_examples=examples,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
    )


@pytest.mark.slow
@generated(3)
@given(st.lists(TUNES, min_size=4, max_size=4))
def test_generated_tunes_arrive_as_they_were_submitted(
    bench: SnippetBench, batch: list[dict[str, Any]]
) -> None:
    check_generated(bench, batch)


@pytest.mark.soak
@generated(20)
@given(st.lists(TUNES, min_size=30, max_size=30))
def test_many_generated_tunes_arrive_as_they_were_submitted(
    bench: SnippetBench, batch: list[dict[str, Any]]
) -> None:
    check_generated(bench, batch)


@pytest.mark.parametrize("write", [as_curl, as_python, as_javascript, as_json])
def test_what_is_no_tune_is_told_with_what_to_give(write: Any) -> None:
    form = anb.TuneForm(anb.Client(KEY, base_url="http://127.0.0.1:1"))
    row = anb.rows.tune_frame({"id": 7})
    for wrong in (form, row, row.iloc[0], {"pack": 43}, "x", None, anb.Tune):
        with pytest.raises(TuneError, match=r"^tune: .* is not a tune; give anb\.Tune\(…\), or form\.tune"):
            write(wrong)
