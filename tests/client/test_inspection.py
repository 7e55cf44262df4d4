"""Inspection of images: small copies are sent, a few at a time, and the answers become warnings."""

import io
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import astria_nb as anb
import helpers.photos_with_metadata as telling
from astria_nb.client import Inspection, inspect_each, majority
from astria_nb.client._inspection import warnings
from astria_nb.errors import AstriaError, NotSentError, RejectedError, TuneError, UnexpectedReplyError
from astria_nb.tune import SUGGESTIONS, WARNINGS
from helpers.paths import SAMPLES
from helpers.scripted_server import Exchange, ScriptedServer, reply, silence
from helpers.waiting import PATIENCE

WOMEN = sorted(SAMPLES.glob("woman*.jpg"))
ANSWER = {"name": "woman", "eye_color": "blue eyes", "glasses": "NONE", "blurry": False}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(deterministic=True) as running:
        yield running


@pytest.fixture
def inspecting(server: ScriptedServer) -> ScriptedServer:
    server.on("POST", "/images/inspect", reply(ANSWER))
    return server


def the_file(server: ScriptedServer) -> tuple[str, Image.Image]:
    """Return the filename and the picture that the service was sent."""
    from email.parser import BytesParser

    request = server.requests[-1]
    message = BytesParser().parsebytes(
        f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode() + request.body
    )
    name, file = message.get_payload()
    assert name.get_payload() == "woman"
    assert file.get_content_type() == "image/jpeg"
    picture = Image.open(io.BytesIO(file.get_payload(decode=True)))
    return file.get_filename(), picture


# One image


@pytest.mark.parametrize(
    ("size", "sent"), [((1600, 1200), (512, 384)), ((300, 200), (300, 200)), ((600, 3000), (102, 512))]
)
def test_a_copy_of_at_most_512_pixels_is_sent_upright_and_without_metadata(
    inspecting: ScriptedServer,
    client: anb.Client,
    tmp_path: Path,
    size: tuple[int, int],
    sent: tuple[int, int],
) -> None:
    path = tmp_path / "photo.png"
    telling.picture(size).save(path, "JPEG", exif=telling.exif(6), comment=telling.PLACE)
    assert client.inspect(path, name="woman") == ANSWER
    filename, picture = the_file(inspecting)
    assert filename == "1.jpg"  # its own name tells days and people
    assert picture.size == sent[::-1]
    assert not any(part in inspecting.requests[-1].body for part in telling.PARTS)


def test_an_address_is_sent_as_it_is(sandbox: anb.Sandbox) -> None:
    answer = sandbox.client().inspect("https://example.com/a%20dog%20wearing_hat.jpg", name="man")
    assert (answer["name"], answer["wearing_hat"]) == ("dog", True)


def test_a_poor_image_is_reported_by_the_service(sandbox: anb.Sandbox, tmp_path: Path) -> None:
    path = shutil.copy(WOMEN[0], tmp_path / "wearing_sunglasses.jpg")
    answer = sandbox.client().inspect(path, name="woman")
    assert answer["wearing_sunglasses"] is True
    assert "sunglasses: the eyes cannot be seen" in warnings(answer, "woman")


def test_anything_but_an_image_is_refused_before_sending(
    inspecting: ScriptedServer, client: anb.Client, tmp_path: Path
) -> None:
    (tmp_path / "a.jpg").write_text("no image")
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(WOMEN[0].read_bytes()[:5000])
    reasons = {"a.jpg": "is not a JPEG", "cut.jpg": "is a damaged image", "gone.jpg": "does not exist"}
    for name, reason in reasons.items():
        with pytest.raises(TuneError, match=f"images: '{name}' {reason}"):
            client.inspect(tmp_path / name, name="woman")
    assert inspecting.requests == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply({"file": ["cannot be decoded"]}, 422), RejectedError),
        (reply([]), UnexpectedReplyError),
        (reply(body=b"<html>"), UnexpectedReplyError),
        (reply({}, 302, Location="/elsewhere"), UnexpectedReplyError),
    ],
)
def test_an_unusable_answer_is_an_error_of_its_kind(
    server: ScriptedServer, client: anb.Client, answer: Any, error: type[AstriaError]
) -> None:
    server.on("POST", "/images/inspect", answer)
    with pytest.raises(error):
        client.inspect(WOMEN[0], name="woman")
    assert len(server.requests) == 1


def test_an_error_names_the_photo_as_its_reader_does(server: ScriptedServer, client: anb.Client) -> None:
    server.on("POST", "/images/inspect", reply({"file": ["1.jpg has no face"]}, 422))
    own = f"1.jpg (your '{WOMEN[1].name}') has no face"
    with pytest.raises(RejectedError) as caught:
        client.inspect(WOMEN[1], name="woman")
    assert caught.value.problems[0].what == own
    (inspection,) = inspect_each(WOMEN[1:2], client, name="woman")
    assert own in str(inspection.problem)


def test_the_error_for_a_lost_answer_mentions_no_tune(server: ScriptedServer, client: anb.Client) -> None:
    server.on("POST", "/images/inspect", lambda exchange: bool(exchange.read()))
    with pytest.raises(NotSentError, match=r"no complete answer from .*; try again") as caught:
        client.inspect(WOMEN[0], name="woman")
    assert "tune" not in str(caught.value)


# Many


def test_each_image_is_inspected_and_one_failure_does_not_stop_the_others(
    sandbox: anb.Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    hat = Path(shutil.copy(WOMEN[0], tmp_path / "3-wearing_hat.jpg"))
    images = [*WOMEN, tmp_path / "broken.jpg", hat]
    results = {result.image: result for result in inspect_each(images, sandbox.client(), name="woman")}
    assert results.keys() == set(images)
    assert [image for image, result in results.items() if result.problem] == [tmp_path / "broken.jpg"]
    assert "a hat: the hair cannot be seen" in results[hat].warnings
    assert all(results[sample].answer["name"] == "woman" for sample in WOMEN)
    assert not results[tmp_path / "broken.jpg"].answer


def test_four_images_are_inspected_at_a_time(server: ScriptedServer, client: anb.Client) -> None:
    asked, four = threading.Semaphore(0), threading.Event()

    def answer(exchange: Exchange) -> bool:
        asked.release()
        four.wait(PATIENCE)
        return reply(ANSWER)(exchange)

    server.on("POST", "/images/inspect", answer)
    results: list[Inspection] = []
    asking = threading.Thread(
        target=lambda: results.extend(inspect_each(WOMEN * 3, client, name="woman")), daemon=True
    )
    asking.start()
    assert all(asked.acquire(timeout=PATIENCE) for _ in range(4))
    assert not asked.acquire(timeout=0.2)
    four.set()
    asking.join(PATIENCE)
    assert [result.problem for result in results] == [None] * 12


def test_only_the_image_that_takes_too_long_is_given_up(
    server: ScriptedServer, client: anb.Client, tmp_path: Path
) -> None:
    def answer(exchange: Exchange) -> bool:
        exchange.read()
        if len(exchange.request.body) < 2000:
            return silence(exchange)
        return reply(ANSWER, read=0)(exchange)

    server.on("POST", "/images/inspect", answer)
    slow = tmp_path / "slow.jpg"
    Image.new("RGB", (64, 64)).save(slow)
    quick, given_up = inspect_each([slow, WOMEN[1]], client, name="woman", seconds=2)
    assert (quick.image, quick.problem) == (WOMEN[1], None)
    assert given_up.image == slow
    assert "no answer in time" in str(given_up.problem)


def test_ctrl_c_ends_it_at_once(server: ScriptedServer, client: anb.Client) -> None:
    once = threading.Lock()

    def answer(exchange: Exchange) -> bool:
        if once.acquire(blocking=False):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        return silence(exchange)

    server.on("POST", "/images/inspect", answer)
    with pytest.raises(KeyboardInterrupt):  # otherwise, each would be given up after a minute
        list(inspect_each(WOMEN * 3, client, name="woman", seconds=PATIENCE))


def test_closing_the_iterator_does_not_block_and_cancels_what_has_not_begun(
    server: ScriptedServer, client: anb.Client
) -> None:
    asked: list[Exchange] = []
    answered: list[Exchange] = []
    stopped = threading.Event()

    def answer(exchange: Exchange) -> bool:
        asked.append(exchange)
        if len(asked) > 1:
            stopped.wait(PATIENCE)
        answered.append(exchange)
        return reply(ANSWER)(exchange)

    server.on("POST", "/images/inspect", answer)
    inspections = inspect_each(WOMEN * 5, client, name="woman", seconds=2 * PATIENCE)
    assert next(inspections).problem is None
    inspections.close()
    assert len(answered) == 1  # those that are under way were not waited for
    stopped.set()
    for thread in threading.enumerate():
        if thread.name.startswith("astria_nb-inspect"):
            thread.join()
    assert len(asked) <= 6


# In words


@pytest.mark.parametrize("key", WARNINGS)
def test_each_finding_that_is_true_becomes_a_warning(key: str) -> None:
    assert warnings({"name": "man", key: True}, "man") == (WARNINGS[key],)
    for value in (False, None, "true", 1):
        assert warnings({"name": "man", key: value}, "man") == ()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"name": "man"}, ()),
        ({}, ()),
        ({"name": None}, ()),
        ({"name": ""}, ("no man recognized",)),
        ({"name": "NONE"}, ("no man recognized",)),
        ({"name": "dog"}, ("looks like a dog, not a man",)),
    ],
)
def test_a_different_class_is_a_warning_and_a_missing_key_is_not(answer: Any, words: tuple[str, ...]) -> None:
    assert warnings(answer, "man") == words


# The majority


def majority_of(*answers: dict[str, Any]) -> dict[str, str]:
    return majority(Inspection(f"{number}.jpg", answer) for number, answer in enumerate(answers))


def test_the_most_frequent_value_is_used() -> None:
    assert majority_of({"a": "x"}, {"a": "y"}, {"a": "y"}, {"a": "z"}) == {"a": "y"}
    assert majority_of({"a": "x"}, {"a": "y"}) == {"a": "x"}


def test_a_key_that_fewer_than_half_have_is_omitted() -> None:
    assert majority_of({"a": "x"}, {}, {}) == {}
    assert majority_of({"a": "x"}, {}) == {"a": "x"}
    assert majority_of({"a": "x"}, {"a": "y"}, {}, {}) == {"a": "x"}


def test_empty_values_are_not_counted() -> None:
    assert majority_of({"a": "NONE"}, {"a": "NONE"}, {"a": "x"}) == {}
    assert majority_of({"a": ""}, {"a": "x"}) == {"a": "x"}


def test_only_text_is_used_and_not_the_name() -> None:
    answer = {
        "name": "woman",
        "blurry": False,
        "selfie": True,
        "age": 30,
        "list": ["x"],
        "eye_color": "blue eyes",
    }
    assert majority_of(answer) == {"eye_color": "blue eyes"}
    assert majority_of() == {}


def test_an_image_without_an_answer_does_not_count() -> None:
    failed = Inspection("2.jpg", problem="no answer in time")
    assert majority([failed, failed, Inspection("1.jpg", {"a": "x"})]) == {"a": "x"}


def test_the_majority_can_be_submitted(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    characteristics = majority(inspect_each(WOMEN, client, name="woman"))
    assert characteristics["eye_color"] in SUGGESTIONS["eye_color"]
    assert not characteristics.keys() - SUGGESTIONS.keys()
    tune = anb.Tune(pack=260, title="t", name="woman", images=WOMEN, characteristics=characteristics)
    anb.submit(tune, client)
    sent = [request.params for request in sandbox.ledger if request.path.endswith("/tunes")][-1]
    assert sent is not None
    assert sent["characteristics"] == characteristics


def test_the_sandbox_answers_with_suggested_values(sandbox: anb.Sandbox, tmp_path: Path) -> None:
    client = sandbox.client()
    for name in ("man", "woman", "cat", "girl"):
        for number in range(6):
            answer = client.inspect(f"https://example.com/{number}.jpg", name=name)
            for key, value in answer.items():
                assert key == "name" or key in SUGGESTIONS or key in WARNINGS
                if key in SUGGESTIONS and value not in ("", "NONE"):
                    assert value in SUGGESTIONS[key]
