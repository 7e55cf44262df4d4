"""The gallery without a browser: its contents, its messages, and what it stores in a notebook."""

import gc
import io
import os
import queue
import re
import subprocess
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

import astria_nb as anb
from astria_nb.errors import AstriaError, TuneError
from astria_nb.form.images import ImageField
from astria_nb.form.images._drop_zone import DropZone
from astria_nb.images._image import SMALL_BYTES
from astria_nb.results.gallery import Gallery
from astria_nb.results.gallery._static_html import gallery_html
from astria_nb.rows import prompt_frame, tune_frame
from helpers.forked_kernels import python
from helpers.picture_host import a_list, a_picture
from helpers.scripted_server import KEY, ScriptedServer, hang_up, reply
from helpers.waiting import PATIENCE, until

URL = "https://example.com/1.jpg"
EVIL = "<script>alert(1)</script>"
TRAINED = tune_frame([{"id": 7, "trained_at": "2026-01-01T12:00:00.000Z"}])


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(deterministic=True) as running:
        yield running


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("astria_nb.results.gallery._gallery.POLL_SECONDS", 0.05)
    monkeypatch.setattr("astria_nb.results.gallery._widget.POLL_SECONDS", 0.05)


@pytest.fixture
def show() -> Iterator[Callable[..., Gallery]]:
    """Show tunes, and stop polling at the end of the test."""
    galleries = []

    def show_tunes(*args: Any, **options: Any) -> Gallery:
        galleries.append(anb.gallery(*args, **options))
        return galleries[-1]

    yield show_tunes
    for gallery in galleries:
        gallery.stop()


def submitted(client: anb.Client, **fields: Any) -> pd.DataFrame:
    fields = {"pack": 43, "name": "cat", "image_urls": [URL], **fields}
    return anb.submit(anb.Tune(**{"title": str(fields), **fields}), client)


def finished(client: anb.Client, **fields: Any) -> pd.DataFrame:
    return anb.wait(submitted(client, **fields), client, until="prompts", poll=0)


def watchers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "astria_nb watch"]


class Browser:
    """Plays the page: receives what the kernel sends, and answers."""

    def __init__(self, gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
        self._gallery = gallery
        self._received: queue.Queue[tuple[dict[str, Any], bytes | None]] = queue.Queue()
        monkeypatch.setattr(gallery, "send", self._receive)

    def _receive(self, message: dict[str, Any], buffers: Any = None) -> None:
        self._received.put((message, buffers[0] if buffers else None))

    def send(self, **message: object) -> None:
        self._gallery._handle_custom_msg(message, [])

    def receive(self) -> tuple[dict[str, Any], bytes | None]:
        return self._received.get(timeout=PATIENCE)

    @property
    def is_quiet(self) -> bool:
        return self._received.empty()


def ids(gallery: Gallery) -> list[str]:
    return [picture["id"] for card in gallery.cards for picture in card["pictures"]]


def pictured(server: ScriptedServer, prompts: list[dict[str, Any]]) -> anb.Client:
    """Return a client of a service with these prompts of tune 7."""
    server.on("GET", "/tunes/7", reply({"id": 7, "trained_at": "2026-01-01T12:00:00.000Z"}))
    a_list(server, "/tunes/7/prompts", *prompts)
    return anb.Client(KEY, base_url=server.url)


def noise(side: int = 600) -> bytes:
    out = io.BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(3 * side * side)).save(out, "PNG")
    return out.getvalue()


def test_it_returns_at_once_and_fills_as_the_pictures_arrive(show, sandbox):
    client, before = sandbox.client(), set(watchers())
    gallery = show(submitted(client), client)
    assert repr(gallery) == "Gallery(0 pictures, 8 prompts pending, 0 failed)"
    assert (gallery.state, gallery.summary) == ("watching", "0 of 8 pictures · 8 prompts pending")
    counts: list[int] = []
    gallery.observe(lambda change: counts.append(len(change["new"])), "cards")
    until(lambda: gallery.state == "finished")
    assert gallery.summary == "8 pictures"
    assert counts == sorted(counts)
    assert counts[-1] == 8
    assert "in a wicker basket" in gallery.cards[0]["text"]
    until(lambda: set(watchers()) <= before)


def test_no_polling_starts_when_no_pictures_are_expected(show, sandbox):
    client = sandbox.client()
    row = finished(client)
    asked, before = len(sandbox.ledger), set(watchers())
    gallery = show(row, client)
    assert (gallery.state, gallery.summary) == ("finished", "8 pictures")
    assert set(watchers()) <= before
    assert [request.path for request in sandbox.ledger[asked:]] == [f"/tunes/{row['id'].iloc[0]}/prompts"] * 2


def test_several_tunes_fill_one_gallery(show, sandbox):
    client = sandbox.client()
    rows = pd.concat([finished(client), submitted(client, pack=797)], ignore_index=True)
    gallery = show(rows, client)
    first = ids(gallery)
    assert gallery.summary == "8 of 16 pictures · 8 prompts pending"
    until(lambda: gallery.state == "finished")
    assert ids(gallery)[:8] == first  # no card moves
    assert gallery.summary == "16 pictures"


def test_pictures_are_sent_when_they_are_in_view_and_are_small(show, sandbox, monkeypatch):
    client = sandbox.client()
    gallery = show(finished(client), client)
    browser = Browser(gallery, monkeypatch)
    asked = len(sandbox.ledger)
    browser.send(kind="thumbnails", ids=ids(gallery)[:2])
    copies = dict(sorted((message["id"], copy) for message, copy in (browser.receive(), browser.receive())))
    assert list(copies) == ids(gallery)[:2]
    for copy in copies.values():
        assert copy is not None
        assert len(copy) <= SMALL_BYTES
        with Image.open(io.BytesIO(copy)) as opened:
            assert (opened.format, max(opened.size)) == ("JPEG", 288)
    browser.send(kind="thumbnails", ids=ids(gallery)[:2])  # the page was loaded again
    assert [browser.receive()[1] for _ in copies] == list(copies.values())
    assert len(sandbox.ledger) - asked == 2
    assert b"\xff\xd8\xff" not in str(gallery.get_state()).encode()
    assert len(str(gallery.get_state(["cards"]))) < 5000


def test_a_thumbnail_is_small_whatever_it_shows(server, show, monkeypatch):
    client = pictured(server, [{"id": 1, "text": "noise", "images": [f"{server.url}/noise"]}])
    server.on("GET", "/noise", reply(body=noise()))
    gallery = show(TRAINED, client)
    browser = Browser(gallery, monkeypatch)
    browser.send(kind="thumbnails", ids=["1.0"])
    _, copy = browser.receive()
    assert copy is not None
    assert len(copy) <= SMALL_BYTES


def test_the_latest_request_goes_first(server, show, monkeypatch):
    many = [{"id": at, "text": "t", "images": [f"{URL}?{at}"]} for at in range(40, 0, -1)]
    client, gate, asked = pictured(server, many), threading.Event(), []

    def picture(url: str) -> bytes:
        gate.wait(PATIENCE)
        asked.append(url)
        raise AstriaError

    monkeypatch.setattr(client, "picture", picture)
    gallery = show(TRAINED, client)
    browser = Browser(gallery, monkeypatch)
    browser.send(kind="thumbnails", ids=ids(gallery)[:20])
    browser.send(kind="thumbnails", ids=ids(gallery)[-1:])
    gate.set()
    for _ in range(21):
        assert browser.receive()[1] is None
    assert asked.index(f"{URL}?40") <= 4  # after those that were under way


def test_an_enlarged_picture_is_as_the_service_has_it(show, sandbox, monkeypatch):
    client = sandbox.client()
    gallery = show(finished(client), client)
    browser = Browser(gallery, monkeypatch)
    browser.send(kind="enlarge", id=ids(gallery)[3])
    message, data = browser.receive()
    assert message == {"kind": "large", "id": ids(gallery)[3], "media_type": "image/jpeg"}
    assert data == client.picture(gallery.cards[3]["pictures"][0]["url"])


def test_anything_but_a_picture_is_not_enlarged(server, show, monkeypatch):
    client = pictured(server, [{"id": 1, "text": "t", "images": [URL]}])
    monkeypatch.setattr(client, "picture", lambda url: b"<svg onload=alert(1)>")
    browser = Browser(show(TRAINED, client), monkeypatch)
    browser.send(kind="enlarge", id="1.0")
    message, data = browser.receive()
    assert data is None
    assert message["problem"] == "is not a JPEG, PNG or WebP image"


def test_a_like_reaches_the_service_and_is_taken_back(show, sandbox, monkeypatch):
    client = sandbox.client()
    gallery = show(finished(client), client)
    browser = Browser(gallery, monkeypatch)
    key = gallery.cards[2]["id"]
    for liked in (True, False):
        browser.send(kind="like", id=key, liked=liked)
        message, _ = browser.receive()
        assert message == {"kind": "liked", "id": key, "liked": liked, "problem": ""}
        assert client.prompt(int(key))["liked"] is liked
        assert gallery.cards[2]["liked"] is liked


def test_a_like_that_is_refused_is_reported_and_not_recorded(show, sandbox, monkeypatch):
    client = sandbox.client()
    gallery = show(finished(client), client)
    browser = Browser(gallery, monkeypatch)
    sandbox.fail("422", "POST /prompts/*/likes", message="not today")
    asked = len(sandbox.ledger)
    browser.send(kind="like", id=gallery.cards[0]["id"], liked=True)
    message, _ = browser.receive()
    assert message["liked"] is False
    assert "not today" in message["problem"]
    assert gallery.cards[0]["liked"] is False
    assert len(sandbox.ledger) - asked == 1


def test_a_like_is_sent_once_even_if_its_answer_is_lost(server, client):
    server.on("POST", "/prompts/5/likes", hang_up)
    with pytest.raises(AstriaError):
        client.like(5)
    server.on("DELETE", "/prompts/5/likes", reply({}, 503))
    with pytest.raises(AstriaError):
        client.like(5, liked=False)
    assert [(request.method, request.path) for request in server.requests] == [
        ("POST", "/prompts/5/likes"),
        ("DELETE", "/prompts/5/likes"),
    ]


@pytest.mark.parametrize("status", [200, 201, 204])
def test_any_success_is_a_like_whatever_it_says(server, client, status):
    server.on("POST", "/prompts/5/likes", reply(status=status, body=b"" if status == 204 else b"<p>ok"))
    client.like(5)
    (request,) = server.requests
    assert (request.body, request.headers["Content-Length"]) == (b"", "0")


def test_a_like_during_a_poll_is_not_undone_by_it(show, sandbox, monkeypatch):
    client = sandbox.client()
    gallery = show(finished(client), client)
    before = anb.prompts(gallery._frame, client)  # as a poll that began before the like arrived
    browser = Browser(gallery, monkeypatch)
    browser.send(kind="like", id=gallery.cards[0]["id"], liked=True)
    browser.receive()
    gallery._contents.update_prompts(before)
    assert gallery._contents.visible_cards()[0]["liked"] is True


def test_malformed_messages_of_a_page_are_ignored(show, sandbox, monkeypatch):
    client = sandbox.client()
    gallery = show(finished(client), client)
    browser = Browser(gallery, monkeypatch)
    odd: list[Any] = [None, "x", 3, {}, [], "1.x", "-1.0", f"{gallery.cards[0]['id']}.9", "²", "9" * 5000]
    for value in odd:
        browser.send(kind="thumbnails", ids=[value])
        browser.send(kind="enlarge", id=value)
        browser.send(kind="like", id=value, liked=True)
        browser.send(kind="save", transfer="a", id=value)
        browser.send(kind="save", transfer=value, id=value)
        browser.send(kind="received", transfer="a", offset=value)
        browser.send(kind="cancel_save", transfer=value)
        browser.send(kind="keep", keep=value)
        browser.send(kind=value)
    browser.send(kind="like", id=gallery.cards[0]["id"], liked="yes")
    time.sleep(0.1)
    assert browser.is_quiet


def save(browser: Browser, name: str, picture: str = "") -> tuple[dict[str, Any], bytes]:
    """Play a page that saves a file and acknowledges each piece; return the last message and the file."""
    browser.send(kind="save", transfer=name, id=picture)
    content = b""
    while True:
        message, piece = browser.receive()
        if message["kind"] != "piece":
            return message, content
        assert (message["transfer"], message["offset"]) == (name, len(content))
        if piece:
            assert len(piece) <= 2**20
            content += piece
            browser.send(kind="received", transfer=name, offset=len(content))


def test_all_pictures_are_sent_as_one_zip_file(show, sandbox, monkeypatch, tmp_path):
    client = sandbox.client()
    row = finished(client)
    browser = Browser(show(row, client, limit=2), monkeypatch)
    message, content = save(browser, "a.1")
    assert message == {
        "kind": "saved",
        "transfer": "a.1",
        "name": "astria_pictures.zip",
        "size": len(content),
        "summary": "Saved 8 pictures in astria_pictures.zip",
    }
    files = anb.download(row, client, tmp_path)["file"]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        downloaded = {Path(file).name: Path(file).read_bytes() for file in files}
        assert {
            name: archive.read(name) for name in archive.namelist() if name != "manifest.jsonl"
        } == downloaded


def test_one_picture_is_sent_as_the_service_has_it(show, sandbox, monkeypatch):
    client = sandbox.client()
    gallery = show(finished(client), client)
    browser = Browser(gallery, monkeypatch)
    message, content = save(browser, "a.1", ids(gallery)[3])
    assert content == client.picture(gallery.cards[3]["pictures"][0]["url"])
    assert (message["kind"], message["name"]) == ("saved", f"{gallery.cards[3]['id']}-1.jpg")


def test_what_is_missing_in_the_zip_file_is_said(show, sandbox, monkeypatch):
    client = sandbox.client()
    gallery = show(finished(client), client)
    browser = Browser(gallery, monkeypatch)
    sandbox.fail("422", "GET /pictures/*", count=2)
    message, _ = save(browser, "a.1")
    assert message["summary"].startswith("Saved 6 of 8 pictures in astria_pictures.zip. Missing: 50000")
    assert message["summary"].endswith(" and 1 more; manifest.jsonl names each")
    sandbox.fail("422", "GET /pictures/*", count=99)
    assert "cannot be fetched" in save(browser, "a.2")[0]["problem"]
    sandbox.heal()
    sandbox.fail("401", "GET /tunes*")
    message, content = save(browser, "a.3")
    assert (message["kind"], content) == ("save_failed", b"")
    assert "was refused" in message["problem"]


def test_a_page_hears_that_the_service_is_slow_and_not_the_kernel(server, show, monkeypatch):
    monkeypatch.setattr("astria_nb.results.gallery._saves._HEARTBEAT", 0.0)
    urls = [f"{server.url}/{name}" for name in ("quick", "slow")]
    client, gate = pictured(server, [{"id": 1, "text": "t", "images": urls}]), threading.Event()
    picture = reply(body=a_picture(1), Content_Type="image/jpeg")
    server.on("GET", "/quick", picture)
    server.on("GET", "/slow", lambda exchange: gate.wait(PATIENCE) and picture(exchange))
    browser = Browser(show(TRAINED, client), monkeypatch)
    browser.send(kind="save", transfer="a.1", id="")
    progress: list[str] = []
    while progress.count("1 of 2 pictures") < 3:  # nothing is sent until a piece is full
        progress.append(browser.receive()[0]["progress"])
    assert set(progress) <= {"0 of 2 pictures", "1 of 2 pictures"}
    gate.set()
    while not browser.receive()[1]:
        pass
    browser.send(kind="cancel_save", transfer="a.1")


def test_at_most_four_pieces_are_under_way_until_the_page_answers(server, show, monkeypatch):
    client = pictured(server, [{"id": 1, "text": "t", "images": [f"{server.url}/big"]}])
    server.on("GET", "/big", reply(body=a_picture(1, 10 * 2**20), Content_Type="image/jpeg"))
    browser = Browser(show(TRAINED, client), monkeypatch)
    browser.send(kind="save", transfer="a.1", id="")
    offsets: list[int] = []
    while len(offsets) < 4:
        message, piece = browser.receive()
        offsets += [message["offset"]] if piece else []  # until the picture arrives, pieces are empty
    assert offsets == [at * 2**20 for at in range(4)]
    time.sleep(0.3)
    assert browser.is_quiet
    browser.send(kind="received", transfer="a.1", offset=2**50)  # more than was sent
    browser.receive()
    browser.send(kind="received", transfer="another", offset=5 * 2**20)
    browser.send(kind="save", transfer="a.1", id="")  # it is under way
    browser.send(kind="cancel_save", transfer="a.1")
    messages = [browser.receive()[0]]
    while messages[-1]["kind"] == "piece":
        messages.append(browser.receive()[0])
    assert len(messages) <= 4
    assert messages[-1] == {
        "kind": "save_failed",
        "transfer": "a.1",
        "problem": "The download was stopped; start it again",
    }


def test_closing_a_gallery_ends_its_downloads(server, show, monkeypatch):
    client, before = (
        pictured(server, [{"id": 1, "text": "t", "images": [f"{server.url}/big"]}]),
        set(watchers()),
    )
    server.on("GET", "/big", reply(body=a_picture(1, 10 * 2**20), Content_Type="image/jpeg"))
    gallery = show(TRAINED, client)
    browser = Browser(gallery, monkeypatch)
    for number in range(5):  # a page that never answers holds no more than four
        browser.send(kind="save", transfer=f"a.{number}", id="")
    kinds = []
    while "save_failed" not in kinds:
        kinds.append(browser.receive()[0]["kind"])
    gallery.close()
    until(lambda: set(watchers()) <= before)


def test_tunes_are_kept_longer_after_a_question_with_its_price(show, sandbox, monkeypatch):
    client = sandbox.client()
    row = finished(client)
    gallery = show(row, client)
    until_day = f"{row['expires_at'].iloc[0].day} {row['expires_at'].iloc[0]:%b %Y}"
    assert gallery.keep == {
        "state": "offered",
        "question": f"Keep this tune and its pictures beyond {until_day}? The service charges about $0.50 a"
        " month until you stop it. In the sandbox, nothing is charged.",
        "price": "about $0.50 a month",
        "problem": "",
    }
    browser = Browser(gallery, monkeypatch)
    states: list[str] = []
    gallery.observe(lambda change: states.append(change["new"]["state"]), "keep")
    asked = len(sandbox.ledger)
    browser.send(kind="keep", keep=False)  # it is not kept
    for _ in range(3):
        browser.send(kind="keep", keep=True)
    until(lambda: gallery.keep["state"] == "kept")
    browser.send(kind="keep", keep=True)
    browser.send(kind="keep", keep=False)
    until(lambda: gallery.keep["state"] == "offered")
    assert states == ["sending", "kept", "sending", "offered"]
    sent = [request.method for request in sandbox.ledger[asked:]]
    assert sent.count("PATCH") == 2


def test_why_tunes_are_not_kept_is_said_and_what_is_gone_is_not_offered(show, sandbox, monkeypatch):
    client = sandbox.client()
    row = finished(client)
    deleted = tune_frame([{"id": 7, "status": "deleted"}])
    with pytest.warns(UserWarning, match="skipped: the service no longer has tune 7"):
        gallery = show(pd.concat([row, deleted], ignore_index=True), client)
    assert gallery.keep["question"].startswith("Keep this tune")
    sandbox.fail("422", "PATCH /tunes/*", message="not today")
    Browser(gallery, monkeypatch).send(kind="keep", keep=True)
    until(lambda: gallery.keep["problem"])
    assert f"(422: not today); tune {row['id'].iloc[0]} was not changed" in gallery.keep["problem"]
    assert gallery.keep["state"] == "offered"
    kept = row.assign(auto_extend=True)
    assert show(kept, client).keep["state"] == "kept"
    another = finished(client, title="another")
    both = show(pd.concat([row, another], ignore_index=True), client).keep
    assert "about $0.50 a month for each, about $1.00 a month in all, until you stop" in both["question"]
    assert both["price"] == "about $1.00 a month"
    half = show(pd.concat([kept, another], ignore_index=True), client)
    assert half.keep["price"] == "about $0.50 a month"
    assert half.keep["question"].startswith("Keep 1 of these 2 tunes and its pictures beyond ")
    assert "? The other is kept already. The service charges about $0.50 a month" in half.keep["question"]
    sandbox.heal()
    asked = len(sandbox.ledger)
    Browser(half, monkeypatch).send(kind="keep", keep=True)
    until(lambda: half.keep["state"] == "kept")
    assert half.keep["price"] == "about $1.00 a month"
    paths = [request.path for request in sandbox.ledger[asked:] if request.method == "PATCH"]
    assert paths == [f"/tunes/{another.loc[0, 'id']}"]


def test_a_tune_that_expired_since_its_row_is_said_to_be_and_is_not_offered(show, sandbox):
    client = sandbox.client()
    row, kept = finished(client), finished(client, title="kept")
    anb.keep_longer(kept, client)
    sandbox.advance(40 * 86400)
    gallery = show(pd.concat([row, kept], ignore_index=True), client)
    assert gallery.summary.endswith("1 tune expired")
    assert gallery.keep["question"].startswith("Keep this tune")  # the other one
    assert show(row, client).keep["state"] == "none"


@pytest.mark.parametrize("kind", [Gallery, DropZone, ImageField])
def test_a_widget_whose_constructor_failed_is_deleted_in_silence(kind, recwarn):
    with pytest.raises(TypeError):
        kind(of="another version")
    gc.collect()  # pytest warns of an exception in `__del__`
    assert list(recwarn) == []


def test_a_prompt_that_failed_is_a_card_with_its_error(show, sandbox):
    sandbox.fail("prompt", number=2, message=f"held back {EVIL}")
    client = sandbox.client()
    gallery = show(finished(client), client)
    assert repr(gallery) == "Gallery(6 pictures, 0 prompts pending, 2 failed)"
    assert gallery.summary == f"6 pictures · 2 failed: held back {EVIL}"
    assert [card["error"] for card in gallery.cards if not card["pictures"]] == [f"held back {EVIL}"] * 2
    assert "failed, held back &lt;script&gt;" in gallery._repr_html_()


def test_a_training_that_fails_ends_the_polling_with_a_message(show, sandbox):
    sandbox.fail("training")
    client = sandbox.client()
    gallery = show(submitted(client), client)
    until(lambda: gallery.state == "finished")
    assert gallery.summary.endswith("1 tune failed")
    assert "pending" not in gallery.summary


def test_a_poll_that_fails_is_reported_and_repeated(show, sandbox, monkeypatch):
    client = sandbox.client()
    row = submitted(client)
    gallery = show(row, client)
    browser = Browser(gallery, monkeypatch)
    sandbox.fail("401", "GET /tunes*", message="who are you?")
    until(lambda: gallery.state == "failed")
    assert "was refused" in gallery.failure
    browser.send(kind="resume")
    until(lambda: gallery.state == "finished")
    assert (gallery.failure, gallery.summary) == ("", "8 pictures")


def test_an_outage_is_reported_and_waited_for(show, sandbox):
    client = sandbox.client()
    row = submitted(client)
    sandbox.fail("503", "GET /tunes*", after=2, count=99)
    gallery = show(row, client)
    until(lambda: "does not answer, trying again in" in gallery.failure)
    assert gallery.state == "watching"
    sandbox.heal()
    until(lambda: gallery.state == "finished")
    assert (gallery.failure, gallery.summary) == ("", "8 pictures")


def test_watching_can_be_stopped_and_resumed(show, monkeypatch):
    with anb.Sandbox(speed=1) as slow:
        client, before = slow.client(), set(watchers())
        gallery = show(submitted(client), client)
        browser = Browser(gallery, monkeypatch)
        browser.send(kind="stop")
        assert gallery.state == "stopped"
        until(lambda: set(watchers()) <= before)
        slow.advance(3600)
        browser.send(kind="resume")
        until(lambda: gallery.state == "finished")
        assert gallery.summary == "8 pictures"


def test_no_poll_is_reported_once_it_is_stopped():
    with anb.Sandbox(speed=1) as slow:
        client, polls = slow.client(), []

        def on_poll(_: Any) -> None:
            time.sleep(0.05)
            polls.append(time.monotonic())

        gallery = Gallery(client, on_poll=on_poll)
        row = submitted(client)
        gallery.show(row, anb.prompts(row, client))
        gallery.watch(poll=0.001)
        until(lambda: len(polls) > 1)
        time.sleep(0.02)  # while a poll is reported
        gallery.stop()
        stopped = time.monotonic()
        time.sleep(0.3)
        assert polls[-1] <= stopped


def test_prompts_may_be_known_before_the_training_is_over(sandbox):
    client = sandbox.client()
    gallery = Gallery(client)
    row = submitted(client)
    assert gallery.show(row, prompt_frame([]))
    assert gallery.summary == "No pictures yet"
    assert gallery.show(row, anb.prompts(row, client))
    assert gallery.summary == "0 of 8 pictures · 8 prompts pending"


def test_a_limit_shows_the_oldest(show, sandbox):
    client = sandbox.client()
    row = finished(client, prompt_attributes={"num_images": 2})
    gallery = show(row, client, limit=3)
    assert repr(gallery) == "Gallery(3 of 16 pictures, 0 prompts pending, 0 failed)"
    assert [len(card["pictures"]) for card in gallery.cards] == [2, 1]
    page = gallery._repr_html_()
    assert page.count('<img src="data:image/jpeg;base64,') == 3
    assert "in a wicker basket" in page


@pytest.mark.parametrize("limit", [-1, "many", float("inf"), True])
def test_an_invalid_limit_is_refused(sandbox, limit):
    with pytest.raises(AstriaError, match="limit: "):
        anb.gallery(tune_frame([]), sandbox.client(), limit=limit)


def test_a_frame_without_tunes_is_refused(sandbox):
    with pytest.raises(TuneError, match="got one without a column 'id'"):
        anb.gallery(pd.DataFrame({"x": [1]}), sandbox.client())


def test_the_saved_file_has_some_pictures_and_the_addresses_of_the_others(show, sandbox):
    client = sandbox.client()
    row = finished(client, pack=260, name="man")
    gallery = show(row, client)
    bundle = gallery._repr_mimebundle_()
    assert bundle is not None
    page = bundle[0]["text/html"]
    assert type(page) is str  # marimo refuses a subclass
    assert "application/vnd.jupyter.widget-view+json" in bundle[0]
    assert bundle[0]["text/plain"] == "Gallery(28 pictures, 0 prompts pending, 0 failed)"
    assert page.count('<img src="data:image/jpeg;base64,') == 24
    for url in [card["pictures"][0]["url"] for card in gallery.cards]:
        assert f'href="{url}"' in page
    assert len(page) < 700_000
    assert gallery._repr_html_() == page


@pytest.mark.slow
def test_a_saved_file_stays_small_whatever_the_pictures_show(server, show, monkeypatch):
    many = [{"id": at, "text": "t", "images": [f"{URL}?{at}"]} for at in range(30, 0, -1)]
    client, data = pictured(server, many), noise()
    monkeypatch.setattr(client, "picture", lambda url: data)
    page = show(TRAINED, client)._repr_html_()
    assert page.count("<img ") == 24
    assert len(page) < 700_000


def test_the_listing_in_a_saved_file_is_bounded():
    cards: list[Any] = [
        {"id": str(at), "text": "word " * 10**4, "error": "", "liked": False, "pictures": pictures}
        for at in range(500)
        for pictures in [[{"id": f"{at}.{number}", "url": f"{URL}?{'x' * 900}"} for number in range(4)]]
    ]
    cards += [{"id": "x", "text": "", "error": "why " * 10**6, "liked": False, "pictures": []}]
    page = gallery_html(cards, {}, "summary")
    assert 500_000 < len(page) < 900_000
    listed, more = page.count("<li>word"), re.search(r"<li>and (\d+) more</li></ul><p>summary", page)
    assert more is not None
    assert listed + int(more[1]) == 2001


def test_pictures_that_do_not_arrive_do_not_block_the_cell(server, show, monkeypatch):
    monkeypatch.setattr("astria_nb.results.gallery._widget._PATIENCE", 0.1)
    client, gate = pictured(server, [{"id": 1, "text": "t", "images": [URL]}]), threading.Event()

    def picture(url: str) -> bytes:
        gate.wait(PATIENCE)
        failures.append(url)
        raise AstriaError

    failures: list[str] = []
    monkeypatch.setattr(client, "picture", picture)
    page = show(TRAINED, client)._repr_html_()
    assert failures == []  # it was not waited for
    gate.set()
    assert f'<a href="{URL}"' in page


def test_text_and_addresses_from_the_service_never_run(server, show, monkeypatch):
    data = "data:text/html,<script>alert(1)</script>"
    prompts = [
        {"id": 3, "text": "three", "images": [data, "JavaScript:alert(1)", 'https://example.com/"><script>']},
        {"id": 2, "text": EVIL, "images": ["javascript:alert(1)"]},
        {"id": 1, "text": None, "user_error": EVIL},
    ]
    client = pictured(server, prompts)
    gallery = show(TRAINED, client)
    page = gallery._repr_html_()
    assert "<script>" not in page
    assert "javascript:" not in page.lower()
    assert 'href="data:' not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    urls = [picture["url"] for card in gallery.cards for picture in card["pictures"]]
    assert urls == ["", "", "", 'https://example.com/"><script>']
    assert [card["text"] for card in gallery.cards] == ["", EVIL, "three"]  # the page escapes it


def test_a_script_ends_while_a_gallery_still_watches(tmp_path: Path):
    code = (
        "import astria_nb as anb; sandbox = anb.Sandbox(speed=0.001).start(); client = sandbox.client()\n"
        f"tune = anb.Tune(pack=43, name='cat', title='t', image_urls=[{URL!r}])\n"
        "print(anb.gallery(anb.submit(tune, client), client))"
    )
    done = subprocess.run(
        [*python(), "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == "Gallery(0 pictures, 8 prompts pending, 0 failed)"
