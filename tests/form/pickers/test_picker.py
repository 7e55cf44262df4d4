"""The pickers of packs, tunes and prompts, without a browser."""

import io
import os
import queue
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from PIL import Image

import astria_nb as anb
from astria_nb.form.pickers import ClassField, PromptsField, TunesField
from astria_nb.form.pickers._cards import PAGE, Card
from astria_nb.form.pickers._pack_cards import PackCards
from astria_nb.form.pickers._pack_cards import _card as pack_card
from astria_nb.form.pickers._picker import Picker
from astria_nb.form.pickers._prompt_cards import PromptCards
from astria_nb.form.pickers._tune_cards import TuneCards
from astria_nb.form.pickers._tune_cards import _card as tune_card
from astria_nb.images._image import SMALL_BYTES
from astria_nb.tune import Pack
from astria_nb.utils import background
from helpers.scripted_server import PACK, TUNE, hang_up, reply
from helpers.waiting import PATIENCE

EVIL = '<img src=x onerror="alert(1)">'


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox() as running:
        yield running


@pytest.fixture
def capture(monkeypatch: pytest.MonkeyPatch) -> Callable[[Picker], queue.Queue[tuple[Card, bytes | None]]]:
    """Capture the cards that a picker sends to the browser, each with its thumbnail if it has one."""

    def capture_messages(picker: Picker) -> queue.Queue[tuple[Card, bytes | None]]:
        sent: queue.Queue[tuple[Card, bytes | None]] = queue.Queue()

        def send(message: dict[str, Any], buffers: list[bytes]) -> None:
            assert message["kind"] == "card"
            sent.put((dict(message["card"]), buffers[0] if buffers else None))

        monkeypatch.setattr(picker, "send", send)
        return sent

    return capture_messages


def say(picker: Picker, **message: object) -> None:
    """Play the browser."""
    picker._handle_custom_msg(message, [])


def await_state(picker: Picker, state: str) -> None:
    reached = threading.Event()
    picker.observe(lambda _: reached.set() if picker.state == state else None, "state")
    assert picker.state == state or reached.wait(PATIENCE)


def titles(picker: Picker) -> list[str]:
    return [card["title"] for card in picker.items]


def ids(picker: Picker) -> list[int]:
    return [int(card["id"]) for card in picker.items]


def tunes(newest: int, count: int, **fields: object) -> list[dict[str, object]]:
    return [
        {**TUNE, "id": newest - number, "title": f"tune {newest - number}", **fields}
        for number in range(count)
    ]


def picture(side: int, noise: bool = False) -> bytes:
    out = io.BytesIO()
    data = Image.frombytes(
        "RGB", (side, side), os.urandom(3 * side * side) if noise else bytes(3 * side * side)
    )
    data.save(out, "PNG")
    return out.getvalue()


def test_your_own_packs_come_before_the_gallerys(sandbox):
    picker = Picker(PackCards(sandbox.client()), noun="pack")
    picker.load()
    assert ids(picker) == [797, 260, 43]
    assert picker.items[0]["lines"] == ["797 · yours", "cat · $1.98", "dog · $1.98"]
    assert picker.items[1]["lines"][0] == "260 · in the gallery"
    assert (picker.state, picker.more) == ("ready", False)


def test_a_pack_that_is_in_both_lists_is_shown_once(client, server):
    server.on("GET", "/packs", reply([PACK]), reply([]))
    server.on("GET", "/gallery/packs", reply([{**PACK, "id": 44}, PACK]), reply([]))
    picker = Picker(PackCards(client), noun="pack")
    picker.load()
    assert ids(picker) == [43, 44]


def test_a_card_in_view_gets_its_cover_and_details(sandbox, capture):
    picker = Picker(PackCards(sandbox.client()), noun="pack")
    sent = capture(picker)
    picker.load()
    say(picker, kind="thumbnails", ids=["260"])
    card, cover = sent.get(timeout=PATIENCE)
    assert card["lines"][1:] == ["man · 28 pictures · $3.31", "woman · 35 pictures · $3.60"]
    assert cover is not None
    with Image.open(io.BytesIO(cover)) as opened:
        assert (opened.format, max(opened.size)) == ("JPEG", 288)
    # What is out of view costs nothing.
    assert [request.path for request in sandbox.ledger if request.path.startswith("/p/")] == ["/p/260"]
    assert sum(request.path.startswith("/pictures/") for request in sandbox.ledger) == 1
    # And a page that is opened later is told the same.
    assert picker.get_state("items")["items"][1]["lines"] == card["lines"]


def test_a_cover_is_found_in_the_details(client, server, capture):
    server.on(
        "GET", "/packs", reply([{**PACK, "costs": {"man": {"cost_mc": 5, "num_images": 1}}}]), reply([])
    )
    server.on("GET", "/gallery/packs", reply([]))
    server.on("GET", "/p/43", reply({**PACK, "cover_url": f"{server.url}/cover"}))
    server.on("GET", "/cover", reply(body=picture(64)))
    picker = Picker(PackCards(client), noun="pack")
    sent = capture(picker)
    picker.load()
    say(picker, kind="thumbnails", ids=["43"])
    assert sent.get(timeout=PATIENCE)[1] is not None


@pytest.mark.parametrize("answer", [hang_up, reply(body=b"<html>"), reply(status=404)])
def test_a_card_without_its_cover_can_be_shown(client, server, capture, answer):
    server.on("GET", "/packs", reply([{**PACK, "cover_url": f"{server.url}/cover"}]), reply([]))
    server.on("GET", "/gallery/packs", reply([]))
    server.on("GET", "/cover", answer)
    picker = Picker(PackCards(client), noun="pack")
    sent = capture(picker)
    picker.load()
    say(picker, kind="thumbnails", ids=["43"])
    card, cover = sent.get(timeout=PATIENCE)
    assert (card["title"], card["picture"], cover) == ("Headshots", "none", None)


def test_a_picture_is_small_whatever_it_shows(client, server, capture):
    server.on("GET", "/tunes", reply(tunes(9, 1, orig_images=[f"{server.url}/photo"])), reply([]))
    server.on("GET", "/photo", reply(body=picture(500, noise=True)))
    picker = Picker(TuneCards(client), noun="tune")
    sent = capture(picker)
    picker.load()
    say(picker, kind="thumbnails", ids=["9"])
    data = sent.get(timeout=PATIENCE)[1]
    assert data is not None
    assert len(data) <= SMALL_BYTES


def test_a_picture_is_fetched_once_for_all_pages_that_ask(client, server, capture):
    server.on("GET", "/tunes", reply(tunes(9, 1, orig_images=[f"{server.url}/photo"])), reply([]))
    server.on("GET", "/photo", reply(body=picture(64)))
    picker = Picker(TuneCards(client), noun="tune")
    sent = capture(picker)
    picker.load()
    for _ in range(3):
        say(picker, kind="thumbnails", ids=["9", "9"])
    first = sent.get(timeout=PATIENCE)
    say(picker, kind="thumbnails", ids=["9"])
    assert sent.get(timeout=PATIENCE) == first
    assert len(server.received("GET", "/photo")) == 1


def test_a_request_for_unknown_cards_is_not_answered(client, server, capture, caplog):
    server.on("GET", "/tunes", reply(tunes(9, 1)), reply([]))
    picker = Picker(TuneCards(client), noun="tune")
    sent = capture(picker)
    picker.load()
    for asked in (["8"], [9, None, {}], "9", {"a": 1}):
        say(picker, kind="thumbnails", ids=asked)
    say(picker, kind="unheard of")
    assert sent.empty()
    assert caplog.records == []  # where ipywidgets puts an error in a callback


def test_slow_pictures_do_not_delay_other_work(client, server):
    server.on("GET", "/tunes", reply(tunes(40, 24, orig_images=[f"{server.url}/photo"])), reply([]))
    waiting, done = threading.Event(), threading.Event()
    server.on("GET", "/photo", lambda _: waiting.wait() and False)
    picker = Picker(TuneCards(client), noun="tune")
    picker.load()
    say(picker, kind="thumbnails", ids=[card["id"] for card in picker.items])
    try:
        background.start(done.set)
        assert done.wait(PATIENCE)
    finally:
        waiting.set()


def test_tunes_come_newest_first_and_no_further_than_asked_for(client, server):
    server.on("GET", "/tunes", reply(tunes(500, 120)), reply(tunes(380, 10)), reply([]))
    picker = Picker(TuneCards(client), noun="tune")
    picker.load()
    assert ids(picker) == list(range(500, 500 - PAGE, -1))
    assert picker.more
    assert len(server.received("GET", "/tunes")) == 1
    while picker.more:
        picker.load_more()
    assert ids(picker) == list(range(500, 370, -1))
    assert [request.query.get("before_id") for request in server.received("GET", "/tunes")] == [
        None,
        "381",
        "371",
    ]


def test_a_tune_is_named_with_its_class_status_and_age(sandbox):
    client = sandbox.client()
    for title in ("first", EVIL):
        anb.submit(
            anb.Tune(pack=43, title=title, name="cat", image_urls=["https://example.com/1.jpg"]), client
        )
    sandbox.advance(2.5 * 86_400)
    picker = Picker(TuneCards(client), noun="tune")
    picker.load()
    assert titles(picker) == [EVIL, "first"]
    assert picker.items[0]["lines"] == ["cat · trained", "1000002 · 2 days ago"]


def test_a_tune_with_missing_fields_is_shown(client, server):
    server.on(
        "GET",
        "/tunes",
        reply([{"id": 3, "title": None, "created_at": "soon", "orig_images": [None]}]),
        reply([]),
    )
    picker = Picker(TuneCards(client), noun="tune")
    picker.load()
    assert picker.items == [{"id": "3", "title": "Tune 3", "lines": ["queued", "3"], "picture": "none"}]


def test_an_exact_page_promises_no_more(client, server):
    server.on("GET", "/tunes", reply(tunes(99, PAGE)), reply([]))
    picker = Picker(TuneCards(client), noun="tune")
    picker.load()
    assert not picker.more


def test_a_failed_list_says_why_and_can_be_retried(sandbox):
    sandbox.fail("401", "GET /packs")
    picker = Picker(PackCards(sandbox.client()), noun="pack")
    picker.load()
    assert (picker.state, picker.items) == ("failed", [])
    assert "was refused" in picker.failure
    picker.load_more()
    assert (picker.state, picker.failure, ids(picker)) == ("ready", "", [797, 260, 43])


def test_an_error_keeps_the_loaded_cards_and_a_retry_continues(client, server):
    server.on("GET", "/tunes", reply(tunes(500, 30)), reply({}, 401), reply(tunes(470, 5)), reply([]))
    picker = Picker(TuneCards(client), noun="tune")
    picker.load()
    picker.load_more()
    assert (picker.state, ids(picker)[-1], len(picker.items)) == ("failed", 471, 30)
    picker.load_more()
    assert (picker.state, ids(picker)) == ("ready", list(range(500, 465, -1)))
    assert [request.query.get("before_id") for request in server.received("GET", "/tunes")] == [
        None,
        "471",
        "471",
        "466",
    ]


def test_a_reload_that_fails_leaves_the_old_cards(sandbox):
    picker = Picker(PackCards(sandbox.client()), noun="pack")
    picker.load()
    sandbox.fail("401", "GET /packs")
    picker.load()
    assert (picker.state, len(picker.items)) == ("failed", 3)


def test_a_reload_shows_what_is_new(sandbox):
    picker = Picker(TuneCards(sandbox.client()), noun="tune")
    picker.load()
    assert picker.items == []
    tune = anb.Tune(pack=43, title="fresh", name="cat", image_urls=["https://example.com/1.jpg"])
    anb.submit(tune, sandbox.client())
    say(picker, kind="reload")
    await_state(picker, "loading")
    await_state(picker, "ready")
    assert titles(picker) == ["fresh"]


def test_an_answer_that_is_overtaken_by_a_reload_is_dropped(client, server):
    late, asked = threading.Event(), threading.Event()

    def slowly(exchange):
        asked.set()
        late.wait(PATIENCE)
        return reply(tunes(7, 1))(exchange)

    server.on("GET", "/tunes", slowly, reply(tunes(9, 1)), reply([]))
    picker = Picker(TuneCards(client), noun="tune")
    first = background.start(picker.load)
    assert asked.wait(PATIENCE)
    picker.load()
    late.set()
    first.result(PATIENCE)
    assert (ids(picker), picker.state) == ([9], "ready")


def test_an_unexpected_error_is_shown():
    class Broken:
        def cards(self, after: str | None) -> Iterator[Card]:
            yield {"id": "1", "title": "one", "lines": [], "picture": "none"}
            raise ZeroDivisionError("by zero")

        def details(self, card: Card) -> tuple[Card, bytes | None]:
            raise AssertionError

    picker = Picker(Broken(), noun="pack")
    picker.load()
    assert titles(picker) == ["one"]
    assert picker.failure == "cannot be shown (ZeroDivisionError: by zero); please report it"


@pytest.fixture
def form(sandbox: anb.Sandbox) -> anb.TuneForm:
    return anb.TuneForm(sandbox.client())


def test_a_fresh_form_asks_for_no_tunes(form, sandbox):
    assert not any(request.path == "/tunes" for request in sandbox.ledger)
    field = form._draft.fields["tune_ids"]
    field.picker.is_open = True
    await_state(field.picker, "ready")
    assert sum(request.path == "/tunes" for request in sandbox.ledger) == 1


def test_a_pack_chosen_by_its_picture_fills_the_classes(form):
    field = form._draft.pack
    # As the browser does: the choice, and the gallery closed with it.
    field.gallery.set_state({"chosen": ["797"], "is_open": False})
    field.settle(5)
    assert form._draft.values()["pack"] == 797
    assert [name for _, name in form._draft._class._buttons.options] == ["cat", "dog"]
    assert field._text.value == "797"


def test_a_slug_stays_a_slug_and_is_seen_in_the_gallery(form):
    form.fill(pack="pets")
    assert form._draft.values()["pack"] == "pets"
    assert form._draft.pack.gallery.chosen == ["797"]
    form.fill(pack=None)
    assert form._draft.pack.gallery.chosen == []


def test_a_packs_title_is_text(sandbox, client, server):
    server.on("GET", "/packs", reply([]))
    server.on("GET", "/gallery/packs", reply([]))
    server.on("GET", "/p/43", reply({**PACK, "title": EVIL}))
    form = anb.TuneForm(client, pack=43)
    assert form._draft.pack._title.value == "&lt;img src=x onerror=&#34;alert(1)&#34;&gt; · 43"


def test_a_failed_pack_can_be_retried(sandbox):
    client = sandbox.client()
    sandbox.fail("401", "GET /p/260")
    form = anb.TuneForm(client, pack=260, name="man")
    field = form._draft.pack
    assert field._retry.layout.display is None
    assert "was refused" in field._error.value
    field._retry.click()
    field.settle(5)
    assert field.pack.id == 260
    assert field._retry.layout.display == "none"


def test_a_list_that_loads_after_all_removes_its_problem(sandbox):
    sandbox.fail("401", "GET /packs")
    form = anb.TuneForm(sandbox.client())
    field = form._draft.pack
    assert "was refused" in field._error.value
    field.gallery.is_open = True
    assert field._retry.layout.display == "none"  # the gallery has one
    field.gallery.load_more()
    assert "was refused" not in field._error.value
    field.gallery.is_open = False
    assert field._retry.layout.display == "none"


def test_typed_and_chosen_tunes_are_the_same(sandbox):
    field = TunesField(sandbox.client())
    field._text.value = "7, x, 8"
    assert field.picker.chosen == ["7", "8"]
    field.picker.chosen = ["8", "9"]
    assert field.value == ["x", 8, 9]  # a value that is not a number stays, so that the rules can name it
    assert field._text.value == "x, 8, 9"
    field.value = [np.int64(5)]
    assert field.picker.chosen == ["5"]
    field.picker.chosen = []
    assert field.value is None


def test_an_id_above_2_to_the_53_is_exact(sandbox):
    field = TunesField(sandbox.client())
    field._text.value = str(2**53 + 1)
    field.picker.chosen = [*field.picker.chosen, "4"]
    assert field.value == [2**53 + 1, 4]


def test_the_prompts_of_the_chosen_class_come_first(form, sandbox):
    form.fill(pack=43, name="woman")
    picker = form._draft.fields["prompt_ids"].picker
    picker.is_open = True
    await_state(picker, "ready")
    assert [card["lines"] for card in picker.items] == [["woman"]] * 8 + [["man"]] * 8 + [["cat"]] * 8
    assert ids(picker)[:2] == [43009, 43010]
    form.fill(name="cat")
    await_state(picker, "ready")
    assert picker.items[0]["lines"] == ["cat"]


def test_all_prompts_are_run_unless_some_are_chosen(form, sandbox):
    form.fill(pack=43, name="cat", image_urls=["https://example.com/1.jpg"])
    assert "Prompts · all in the pack" in form._draft.sections.titles
    form._draft.fields["prompt_ids"].picker.chosen = ["43017", "43019"]
    assert "Prompts · 43017, 43019" in form._draft.sections.titles
    form.submit()
    (received,) = sandbox.received()
    assert len(received.prompt_ids) == 2


def test_a_prompt_in_view_gets_its_picture(form, capture):
    form.fill(pack=43, name="cat")
    picker = form._draft.fields["prompt_ids"].picker
    sent = capture(picker)
    picker.load()
    say(picker, kind="thumbnails", ids=["43017"])
    card, data = sent.get(timeout=PATIENCE)
    assert card["title"] == "Prompt 43017"
    assert data is not None


def test_prompts_are_read_from_incomplete_packs(client):
    rows = [
        {"id": 1, "text": EVIL, "images": ["https://a.b/1", 2]},
        {"id": 2, "images": None},
        {"images": []},
        None,
    ]
    pack = Pack.from_json({"id": 5, "prompts_per_class": {"man": rows, "cat": "none"}})
    field = PromptsField(client)
    field.offer(pack, None)
    field.picker.load()
    assert field.picker.items == [
        {"id": "1", "title": EVIL, "lines": ["man · 1"], "picture": "some"},
        {"id": "2", "title": "Prompt 2", "lines": ["man"], "picture": "none"},
    ]


def test_an_empty_list_says_what_to_do(client):
    field = PromptsField(client)
    assert field.picker.empty == "Choose a pack to see its prompts."
    field.offer(Pack(id=5, title="Five"), None)
    assert field.picker.empty == "Five does not list its prompts; type their ids."


def test_a_picker_is_named_without_its_address(sandbox):
    picker = Picker(PackCards(sandbox.client()), noun="pack")
    assert repr(picker) == "Picker('pack', 0 cards, state='idle')"


def test_no_message_holds_the_key(sandbox, capture):
    picker = Picker(PackCards(sandbox.client()), noun="pack")
    picker.load()
    assert sandbox.api_key not in str(picker.get_state())


def test_an_unreachable_service_is_reported():
    client = anb.Client("sd_nobody", base_url="http://127.0.0.1:9")
    picker = Picker(TuneCards(client), noun="tune")
    picker.load()
    assert "cannot be reached" in picker.failure


def test_no_card_contains_control_characters_of_the_service(sandbox: anb.Sandbox) -> None:
    evil = "a\x1b[2J\u202egnp.exe\r\nb\ud800"
    prompts = {evil: [{"id": 1, "text": evil}, {"id": 2}]}
    pack = Pack.from_json(
        {"id": 260, "costs": {evil: {"cost": 331, "num_images": 28}}, "prompts_per_class": prompts}
    )
    assert pack.classes[0].name == evil  # what is sent is not changed
    buttons = ClassField()
    buttons.offer(pack)
    assert buttons.value == evil
    shown = [*PromptCards(sandbox.client(), pack, evil).cards(None), pack_card(pack, "yours")]
    shown.append(tune_card({**TUNE, "name": evil, "title": evil}, datetime.now(UTC)))
    texts = [text for each in shown for text in (each["title"], *each["lines"])]
    texts += [label for label, _ in buttons._buttons.options]
    assert [text for text in texts if not text.isprintable()] == []
    assert sum("a\ufffd[2J\ufffdgnp.exe  b\ufffd" in text for text in texts) == 7
